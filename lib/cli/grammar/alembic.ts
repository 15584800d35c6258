/** What Alembic's users type. */
import type { Command } from 'commander'

import { allowable } from '../allow.ts'
import { autogenerate, type AutogenerateFlags } from '../commands/autogenerate.ts'
import { create, type CreateFlags } from '../commands/create.ts'
import { current } from '../commands/current.ts'
import { down, type DownFlags } from '../commands/down.ts'
import type { StatusFlags } from '../commands/status.ts'
import { up, type UpFlags } from '../commands/up.ts'
import { readDowngrade, readUpgrade } from '../target.ts'
import { add, confirmable, format, select, selectMany, type Act } from './flags.ts'
import { generating } from './write.ts'

export function addAlembic(program: Command, act: Act): void {
  program.commandsGroup('As in Alembic:')
  addUpgrade(program, act)
  addDowngrade(program, act)
  addCurrent(program, act)
  addRevision(program, act)
}

function addUpgrade(program: Command, act: Act): void {
  const command = add(program, 'upgrade', 'apply migrations up to a revision', [
    '-x tenant=acme upgrade head',
  ])
  allowable(selectMany(command))
    .argument('<revision>', 'head, +N, or the last migration to run')
    .option('--dry-run', 'print what would run, and write nothing')
    .option('--sql', 'print a script for psql instead of running')
    .option('--verify', 'read every version table instead of the ledger')
    .action(act((invocation, flags: UpFlags, revision) => up(invocation, flags, readUpgrade(revision))))
}

function addDowngrade(program: Command, act: Act): void {
  const command = add(program, 'downgrade', 'revert migrations down to a revision', [
    '-x tenant=acme downgrade -1',
  ])
  confirmable(allowable(selectMany(command)))
    .argument('<revision>', '-N, base, or the migration to arrive at, which stays')
    .option('--sql', 'print a script for psql instead of running')
    .action(act((invocation, flags: DownFlags, revision) => down(invocation, flags, readDowngrade(revision))))
}

function addCurrent(program: Command, act: Act): void {
  const command = add(program, 'current', 'print the revision each tenant is at', [
    '-x tenant=acme current',
    'current --check',
  ])
  select(command)
    .option('--check', 'exit with 3 if a tenant is behind, failed or missing')
    .option('--verify', 'read every version table instead of the ledger')
    .action(act((invocation, flags: StatusFlags) => current(invocation, flags)))
}

function addRevision(program: Command, act: Act): void {
  const command = add(program, 'revision', 'write a new migration', [
    'revision -m "add users"',
    'revision --autogenerate -m "add users"',
  ])
  generating(format(command))
    .requiredOption('-m, --message <message>', 'what it does')
    .option('--autogenerate', 'what the models ask for, instead of an empty one')
    .action(
      act((invocation, flags: CreateFlags & AutogenerateFlags & { autogenerate?: boolean }) =>
        flags.autogenerate === true
          ? autogenerate(invocation, flags)
          : create(invocation, flags, flags.message),
      ),
    )
}
