/** The commands that move tenants, and those that say where they stand. */
import type { Command } from 'commander'

import { allowable } from '../allow.ts'
import { down, type DownFlags } from '../commands/down.ts'
import { repair, type RepairFlags } from '../commands/repair.ts'
import { status, type StatusFlags } from '../commands/status.ts'
import { up, type UpFlags } from '../commands/up.ts'
import { readDownTarget, readUpTarget, type TargetFlags } from '../target.ts'
import { add, collect, confirmable, limit, select, selectMany, type Act } from './flags.ts'

export function addMigrate(program: Command, act: Act): void {
  program.commandsGroup('Migrate:')
  addUp(program, 'up', act)
  addDown(program, 'down', act)
  addStatus(program, 'status', act)
  addRepair(program, act)
}

export function addUp(program: Command, name: string, act: Act): void {
  const command = add(program, name, 'apply pending migrations', [
    `${name} --tenant acme`,
    `${name} --all --concurrency 4`,
  ])
  allowable(limit(selectMany(command), 'the last migration to run'))
    .option('--dry-run', 'print what would run, and write nothing')
    .option('--sql [file]', 'write a script for psql instead of running')
    .action(act((invocation, flags: UpFlags & TargetFlags) => up(invocation, flags, readUpTarget(flags))))
}

export function addDown(program: Command, name: string, act: Act): void {
  const command = add(program, name, 'revert the last migration, or more', [
    `${name} --tenant acme`,
    `${name} --tenant acme --to 0 --yes`,
  ])
  limit(confirmable(allowable(selectMany(command))), 'the last migration to revert; 0 reverts all')
    .option('--sql [file]', 'write a script for psql instead of running')
    .action(
      act((invocation, flags: DownFlags & TargetFlags) => down(invocation, flags, readDownTarget(flags))),
    )
}

export function addStatus(program: Command, name: string, act: Act): void {
  select(add(program, name, 'print where tenants stand: all, or those selected', [name, `${name} --check`]))
    .option('--check', 'exit with 3 if a tenant is behind, failed or missing')
    .option('--verify', 'read every version table instead of the ledger')
    .action(act((invocation, flags: StatusFlags) => status(invocation, flags)))
}

function addRepair(program: Command, act: Act): void {
  add(program, 'repair', 'settle a migration that was interrupted', [
    'repair --tenant acme --mark-rolled-back',
  ])
    .option('--tenant <id>', 'the tenant', collect)
    .option('--mark-rolled-back', 'it counts as never run; INVALID indexes are dropped')
    .option('--mark-applied', 'it counts as applied')
    .action(act((invocation, flags: RepairFlags) => repair(invocation, flags)))
}
