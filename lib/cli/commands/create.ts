/** `create`, `revision` and `migration:generate`: writes a new migration file. */
import { relative } from 'node:path'

import type { MigrationFormat } from '../../migrations/template.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'

export interface CreateFlags {
  readonly format?: MigrationFormat
  readonly shared?: boolean
}

export async function create(
  invocation: Invocation,
  { format, shared }: CreateFlags,
  name: string,
): Promise<number> {
  const report = await withTenancy(invocation, (tenancy) => tenancy.create({ name, format, shared }))
  show(invocation, report, report.files.map((file) => `wrote ${relative(process.cwd(), file)}\n`).join(''))
  return 0
}
