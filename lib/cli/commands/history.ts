/** `history`, `pending` and `executed`: which migrations tenants have had, and which they have not. */
import type { Tenancy } from '../../tenancy.ts'
import type { MigrationEntry, TenantHistory } from '../../tenant-history.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { historyText, namesText } from '../records-text.ts'
import { table } from '../print.ts'
import { isOne, readSelection, readVariables, type Selection, type SelectionFlags } from '../selection.ts'
import { hintIfNobody } from '../warnings.ts'

/** Of tenants what was applied when; without a selection the migrations on disk. */
export async function history(invocation: Invocation, flags: SelectionFlags): Promise<number> {
  const selection = readSelection(flags)
  readVariables(flags) // a pair that cannot be read is a mistake here too
  if (selection === undefined) return files(invocation)
  const tenants = await withTenancy(invocation, (tenancy) => historiesOf(tenancy, selection))
  const style = invocation.terminal.style.out
  show(invocation, { tenants }, historyText(tenants, style, isOne(selection)))
  hintIfNobody(invocation, selection, tenants.length)
  return 0
}

/** Reads the folder, and opens no database. */
async function files({ config: file, ...invocation }: Invocation): Promise<number> {
  const [{ loadConfig }, { resolveOptions }, { Folders }, { revisionOf }] = await Promise.all([
    import('../../config.ts'),
    import('../../options.ts'),
    import('../../folders.ts'),
    import('../../migrations/revision.ts'),
  ])
  const { config, baseDir } = await loadConfig({ file })
  const found = await new Folders(resolveOptions(config, baseDir)).migrations()
  const migrations = found.map(({ name }) => ({ name, revision: revisionOf(name) }))
  const rows = migrations.map(({ name, revision }) => [revision, name])
  show(invocation, { migrations }, table([['REVISION', 'MIGRATION'], ...rows], invocation.terminal.style.out))
  return 0
}

export function pending(invocation: Invocation, flags: SelectionFlags): Promise<number> {
  return names(invocation, flags, ({ state }) => state === 'pending')
}

export function executed(invocation: Invocation, flags: SelectionFlags): Promise<number> {
  return names(invocation, flags, ({ state }) => state !== 'pending')
}

async function names(
  invocation: Invocation,
  flags: SelectionFlags,
  isWanted: (entry: MigrationEntry) => boolean,
): Promise<number> {
  const selection = readSelection(flags) ?? { all: true }
  readVariables(flags)
  const histories = await withTenancy(invocation, (tenancy) => historiesOf(tenancy, selection))
  const tenants = histories.map(({ id, schema, migrations }) => ({
    id,
    schema,
    migrations: migrations.filter(isWanted).map(({ name }) => name),
  }))
  show(invocation, { tenants }, namesText(tenants, invocation.terminal.style.out, isOne(selection)))
  hintIfNobody(invocation, selection, tenants.length)
  return 0
}

async function historiesOf(tenancy: Tenancy, selection: Selection): Promise<readonly TenantHistory[]> {
  return 'shared' in selection ? [await tenancy.history({ shared: true })] : tenancy.history(selection)
}
