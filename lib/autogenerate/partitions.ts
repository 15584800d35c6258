/** Partitioned tables and their partitions, as their settings tell them. */
import type { Snapshot, Table } from './snapshot.ts'

const BY = 'partition by '
const OF = 'partition of '

/** The settings that say how the table itself is made, and not what is set on it. */
export function settingsOfMaking({ settings }: Table): readonly string[] {
  return settings.filter((setting) => setting.startsWith(BY))
}

/** What stands after PARTITION BY; `undefined` for an ordinary table. */
export function partitioningOf(table: Table): string | undefined {
  return settingsOfMaking(table)[0]?.slice(BY.length)
}

/** Names of the tables that are partitions of others: they come, go and change with those and with time. */
export function partitionsOf({ tables }: Snapshot): readonly string[] {
  const partitions = tables.filter(({ settings }) => settings.some((setting) => setting.startsWith(OF)))
  return partitions.map(({ name }) => name)
}
