/** `current`: the revision each tenant is at, as Alembic prints it. */
import { revisionOf } from '../../migrations/revision.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { currentText } from '../records-text.ts'
import { isOne, readSelection, readVariables } from '../selection.ts'
import { hintIfNobody } from '../warnings.ts'
import { exitCodeOf, statusesOf, type StatusFlags } from './status.ts'

export async function current(invocation: Invocation, flags: StatusFlags): Promise<number> {
  const selection = readSelection(flags) ?? { all: true }
  readVariables(flags)
  const statuses = await withTenancy(invocation, (tenancy) =>
    statusesOf(tenancy, selection, flags.verify ?? false),
  )
  const tenants = statuses.map((status) => ({
    ...status,
    revision: status.current === null ? null : revisionOf(status.current),
  }))
  show(invocation, { tenants }, currentText(statuses, invocation.terminal.style.out, isOne(selection)))
  hintIfNobody(invocation, selection, tenants.length)
  return exitCodeOf(statuses, flags)
}
