/** Writes results into docs/benchmarks.md, between the marks of their section. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'

import { format } from 'prettier'

import { query } from '../test/support/database.ts'

const DOCUMENT = new URL('../docs/benchmarks.md', import.meta.url)

/** Replaces the section `name` by when and where it was measured, and `lines`. */
export async function record(name: string, serverUrl: string, lines: readonly string[]): Promise<void> {
  const document = await readFile(DOCUMENT, 'utf8')
  const section = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`)
  if (!section.test(document)) throw new Error(`docs/benchmarks.md has no section "${name}"`)
  const text = [await circumstances(serverUrl), '', ...lines].join('\n')
  const updated = document.replace(section, (_, start: string, end: string) => `${start}\n${text}\n\n${end}`)
  await writeFile(DOCUMENT, await format(updated, { parser: 'markdown', printWidth: 110 }))
}

async function circumstances(url: string): Promise<string> {
  const [row] = await query<{ server_version: string }>(url, 'SHOW server_version')
  const date = new Date().toISOString().slice(0, 10)
  return `${date}, Node ${process.version}, PostgreSQL ${row?.server_version ?? '?'}, ${cpus().length} cores, loopback.`
}
