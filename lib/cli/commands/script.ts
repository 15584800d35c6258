/** `--sql` of `up` and `down`: writes what they would do as a script for psql. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { messageOf } from '../../errors.ts'
import type { ScriptOptions } from '../../runs.ts'
import { printAllowed } from '../report.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { usage, type Selection } from '../selection.ts'

export interface SqlFlags {
  /** `--sql` alone: to standard output. */
  readonly sql?: string | true
}

export async function script(
  invocation: Invocation,
  selection: Selection,
  options: ScriptOptions,
  to: string | true,
): Promise<number> {
  const { terminal, json } = invocation
  const reading: { tenant: string; migration: string }[] = []
  const sql = await withTenancy(invocation, async (tenancy) => {
    printAllowed(tenancy, invocation)
    tenancy.on('migration:reads', ({ tenant, migration }) => reading.push({ tenant, migration }))
    return tenancy.sql({ ...selection, ...options })
  })
  if (!json) {
    for (const { tenant, migration } of reading)
      terminal.err(
        `warning: ${migration} has read rows of ${tenant}; what it does next is right for them only\n`,
      )
  }
  if (to === true) {
    show(invocation, { sql, reading }, sql)
    return 0
  }
  const file = resolve(to)
  await writeFile(file, sql).catch((error: unknown) => {
    throw usage(`--sql cannot write ${file}.`, `name a file that can be written: ${messageOf(error)}`)
  })
  show(invocation, { file, reading }, `wrote ${file}\n`)
  return 0
}
