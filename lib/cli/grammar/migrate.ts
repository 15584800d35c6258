/** The commands that move tenants, and those that say where they stand. */
import type { Command } from 'commander'

import { allowable } from '../allow.ts'
import { down, type DownFlags } from '../commands/down.ts'
import { executed, history, pending } from '../commands/history.ts'
import { redo, type RedoFlags } from '../commands/redo.ts'
import { repair, type RepairFlags } from '../commands/repair.ts'
import { stamp, type StampFlags } from '../commands/stamp.ts'
import { status, type StatusFlags } from '../commands/status.ts'
import { up, type UpFlags } from '../commands/up.ts'
import type { SelectionFlags } from '../selection.ts'
import { readDownTarget, readUpTarget, type TargetFlags } from '../target.ts'
import { add, confirmable, limit, select, selectMany, type Act } from './flags.ts'

export function addMigrate(program: Command, act: Act): void {
  program.commandsGroup('Migrate:')
  addUp(program, 'up', act)
  addDown(program, 'down', act)
  addStatus(program, 'status', act)
  addHistory(program, act)
  addRedo(program, act)
  addStamp(program, act)
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
    .option('--verify', 'read every version table instead of the ledger')
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

function addHistory(program: Command, act: Act): void {
  select(
    add(program, 'history', 'print what was applied when; without tenants, the files', [
      'history',
      'history --tenant acme',
    ]),
  ).action(act((invocation, flags: SelectionFlags) => history(invocation, flags)))
  select(add(program, 'pending', 'print what up would apply', ['pending --tenant acme'])).action(
    act((invocation, flags: SelectionFlags) => pending(invocation, flags)),
  )
  select(add(program, 'executed', 'print what is applied', ['executed --tenant acme'])).action(
    act((invocation, flags: SelectionFlags) => executed(invocation, flags)),
  )
}

function addRedo(program: Command, act: Act): void {
  const command = add(program, 'redo', 'revert the last migration, and apply it again', [
    'redo --tenant acme',
    'redo --tenant acme --step 2 --yes',
  ])
  const target = 'the last migration to revert; 0 means all'
  limit(confirmable(allowable(selectMany(command))), target).action(
    act((invocation, flags: RedoFlags) => redo(invocation, flags)),
  )
}

function addStamp(program: Command, act: Act): void {
  const command = add(program, 'stamp', 'record where tenants stand, and run nothing', [
    'stamp head --tenant acme',
    'stamp 20261121090000 --all --dry-run',
  ])
  confirmable(selectMany(command))
    .argument('<name>', 'head, 0, or the last migration that is applied')
    .option('--dry-run', 'print what would change, and write nothing')
    .action(act((invocation, flags: StampFlags, name) => stamp(invocation, flags, name)))
}

function addRepair(program: Command, act: Act): void {
  const command = add(program, 'repair', 'settle an interrupted migration, or changed files', [
    'repair --tenant acme --mark-rolled-back',
    'repair --all --rehash',
  ])
  selectMany(command)
    .option('--mark-rolled-back', 'it counts as never run; INVALID indexes are dropped')
    .option('--mark-applied', 'it counts as applied')
    .option('--rehash', 'files that have changed count as what they are now')
    .action(act((invocation, flags: RepairFlags) => repair(invocation, flags)))
}
