/** `autogenerate` and `revision --autogenerate`: writes the migration that the models ask for. */
import { relative } from 'node:path'

import { describeOperation } from '../../autogenerate/describe.ts'
import { HAZARD_KINDS, type Assessed, type HazardKind } from '../../autogenerate/operation.ts'
import type { RenameCandidate } from '../../autogenerate/renames.ts'
import type { RenameHints } from '../../autogenerate/hints.ts'
import type { AutogenerateReport } from '../../comparison.ts'
import type { MigrationFormat } from '../../migrations/template.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { usage } from '../selection.ts'
import type { Style, Terminal } from '../terminal.ts'

export interface AutogenerateFlags {
  readonly message: string
  readonly specimen?: string
  /** `--rename`, each `table.old=new`. */
  readonly rename?: readonly string[]
  /** `--rename-table`, each `old=new`. */
  readonly renameTable?: readonly string[]
  /** `false`: `--no-renames` */
  readonly renames?: boolean
  readonly format?: MigrationFormat
  readonly failOn?: readonly string[]
  /** `false`: `--no-destructive` */
  readonly destructive?: boolean
  readonly online?: boolean
  readonly shadowUrl?: string
}

export async function autogenerate(invocation: Invocation, flags: AutogenerateFlags): Promise<number> {
  const { message, specimen, format, destructive, online, shadowUrl } = flags
  const { terminal, json } = invocation
  const renames = readRenames(flags)
  const failOn = readHazards(flags.failOn ?? [])
  const decide = terminal.interactive && !json ? askAt(terminal) : undefined
  const report = await withTenancy(invocation, (tenancy) =>
    tenancy.autogenerate({
      message,
      specimen,
      format,
      destructive,
      online,
      shadowUrl,
      renames,
      failOn,
      decide,
    }),
  )
  const { operations: differences, file, files, problems, leftOut, eventTriggers } = report
  const written = { ...(file === undefined ? {} : { file }), files }
  const document = { differences, ...written, problems, leftOut, eventTriggers }
  show(invocation, document, textOf(report, terminal.style.out))
  if (!json) terminal.err(problemsText(report))
  return 0
}

function readRenames({
  rename = [],
  renameTable = [],
  renames,
}: AutogenerateFlags): RenameHints | false | undefined {
  const isHinted = rename.length + renameTable.length > 0
  if (renames === false) {
    if (!isHinted) return false
    throw usage('--no-renames excludes --rename and --rename-table.', 'give the renames, or --no-renames')
  }
  if (!isHinted) return undefined
  return {
    columns: Object.fromEntries(rename.map((each) => readPair('--rename table.old=new', each))),
    tables: Object.fromEntries(renameTable.map((each) => readPair('--rename-table old=new', each))),
  }
}

function readPair(form: string, text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)]
  throw usage(`"${text}" is no rename.`, `write ${form}`)
}

function readHazards(texts: readonly string[]): readonly HazardKind[] {
  return texts.flatMap((text) => text.split(',')).map((text) => {
    const kind = HAZARD_KINDS.find((each) => each === text.trim())
    if (kind !== undefined) return kind
    throw usage(`There is no kind of hazard "${text}".`, `--fail-on takes ${HAZARD_KINDS.join(', ')}`)
  }) // prettier-ignore
}

/** Nothing is a rename until somebody says so. */
function askAt(terminal: Terminal) {
  return async ({ kind, table, from, to }: RenameCandidate): Promise<boolean> => {
    const what =
      kind === 'table' ? `table ${from} renamed to ${to}` : `column ${table}.${from} renamed to ${to}`
    return /^y(?:es)?$/i.test(await terminal.ask(`Was ${what}? [y/N] `))
  }
}

function textOf({ assessed, files, specimen, leftOut }: AutogenerateReport, style: Style): string {
  const rest = leftOut.map((operation) => `${style('dim', `left out: ${describeOperation(operation)}`)}\n`)
  if (files.length === 0) return `no difference between the models and tenant "${specimen}"\n${rest.join('')}`
  const wrote = files.map((file) => `wrote ${relative(process.cwd(), file)}\n`)
  return [...assessed.map((each) => operationText(each, style)), ...rest, ...wrote].join('')
}

function operationText({ operation, hazards }: Assessed, style: Style): string {
  const notes = hazards.map(({ kind, message }) => `  ${style('bad', kind)}: ${message}\n`)
  return `${describeOperation(operation)}\n${notes.join('')}`
}

/** What somebody should know of how it was compared. */
export function problemsText({
  problems,
  eventTriggers,
}: Pick<AutogenerateReport, 'problems' | 'eventTriggers'>): string {
  const models = problems.map(
    ({ model, table, message }) => `model ${model} was not compared (table ${table}): ${message}\n`,
  )
  const names = eventTriggers.map((name) => `"${name}"`).join(', ')
  const fired = `warning: event triggers fire for scratch schemas too: ${names}; elsewhere with --shadow-url URL\n`
  return `${models.join('')}${eventTriggers.length === 0 ? '' : fired}`
}
