/** `schema.json` as a program uses it: which documents it takes from which command. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Ajv2020 } from 'ajv/dist/2020.js'
import { Command } from 'commander'

import { addCommands } from '../../lib/cli/grammar.ts'
import { repository } from './project.ts'

interface Schema {
  readonly $id: string
  readonly $defs: Readonly<Record<string, unknown>>
}

const schema = JSON.parse(readFileSync(join(repository, 'schema.json'), 'utf8')) as Schema // our own file

const ajv = new Ajv2020({
  strictTypes: true, // else it would only be printed what else users would be shown
  schemas: [schema],
  formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
})

/** Commands that the schema describes, as it calls them: `tenants-create`. */
export const DESCRIBED: readonly string[] = Object.keys(schema.$defs).filter((name) => /^[a-z]/.test(name))

/** What is wrong with `document` as one of `command`; nothing, if it is well. */
export function complaints(command: string, document: unknown): string {
  const validate = ajv.getSchema(`${schema.$id}#/$defs/${command}`)
  if (validate === undefined) throw new Error(`the schema has no ${command}`)
  return validate(document) === true ? '' : ajv.errorsText(validate.errors)
}

/** Whether `document` is one of any command. */
export function isAnyDocument(document: unknown): boolean {
  return ajv.validate(schema.$id, document)
}

/** Part of the schema by its name: `Error`. */
export function partOf(name: string): unknown {
  return schema.$defs[name]
}

/** The command line's own tree: a program of which every command does nothing. */
export function emptyProgram(): Command {
  const program = new Command('umzug-tenants')
  addCommands(program, () => async () => Promise.resolve())
  return program
}
