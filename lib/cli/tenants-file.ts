/** `--tenants-file`: the ids of tenants, one a line, from a file or from what another program prints. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'

import { messageOf } from '../errors.ts'
import { usage } from './selection.ts'

/**
 * The ids that `file` names; `-` is standard input.
 *
 * @throws {@link TenancyError} USAGE if it cannot be read, or names no tenant: nobody means that.
 */
export async function readTenantsFile(file: string): Promise<readonly string[]> {
  const ids = parseTenantsFile(await read(file))
  if (ids.length > 0) return ids
  throw usage(`${file === '-' ? 'Standard input' : file} names no tenant.`, 'write one id on each line')
}

/** The ids in a text: one a line, around them nothing that counts; `#` begins a comment. */
export function parseTenantsFile(content: string): readonly string[] {
  return content
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((id) => id !== '')
}

async function read(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw usage(`--tenants-file cannot be read: ${messageOf(error)}.`, 'correct --tenants-file')
  }
}
