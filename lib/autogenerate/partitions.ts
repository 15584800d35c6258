/** Partitioned tables and their partitions, as their settings tell them. */
import type { Snapshot, Table } from './snapshot.ts'

const BY = 'partition by '
const OF = 'partition of '

/** What stands after PARTITION BY; `undefined` for an ordinary table. */
export function partitioningOf({ settings }: Pick<Table, 'settings'>): string | undefined {
  return settings.find((setting) => setting.startsWith(BY))?.slice(BY.length)
}

/** The settings that say how the table itself is made, and not what is set on it. */
export function settingsOfMaking({ settings }: Table): readonly string[] {
  return settings.filter((setting) => setting.startsWith(BY))
}

/** Names of the tables that are partitions of others: they come, go and change with those and with time. */
export function partitionsOf({ tables }: Snapshot): readonly string[] {
  const partitions = tables.filter(({ settings }) => settings.some((setting) => setting.startsWith(OF)))
  return partitions.map(({ name }) => name)
}
