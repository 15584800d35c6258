/** What sequelize-cli's users type. */
import type { Command } from 'commander'

import { allowable } from '../allow.ts'
import { create, type CreateFlags } from '../commands/create.ts'
import { down, type DownFlags } from '../commands/down.ts'
import { readDownTarget, type TargetFlags } from '../target.ts'
import { add, confirmable, format, selectMany, type Act } from './flags.ts'
import { addDown, addStatus, addUp } from './migrate.ts'

export function addSequelizeCli(program: Command, act: Act): void {
  program.commandsGroup('As in sequelize-cli:')
  addUp(program, 'db:migrate', act)
  addDown(program, 'db:migrate:undo', act)
  addUndoAll(program, act)
  addStatus(program, 'db:migrate:status', act)
  addGenerate(program, act)
}

function addUndoAll(program: Command, act: Act): void {
  const command = add(program, 'db:migrate:undo:all', 'revert every migration', [
    'db:migrate:undo:all --tenant acme --yes',
  ])
  confirmable(allowable(selectMany(command)))
    .option('--to <name>', 'the last migration to revert: its file name or revision', '0')
    .action(
      act((invocation, flags: DownFlags & TargetFlags) => down(invocation, flags, readDownTarget(flags))),
    )
}

function addGenerate(program: Command, act: Act): void {
  format(add(program, 'migration:generate', 'write a new migration', ['migration:generate --name add-users']))
    .requiredOption('--name <name>', 'what it does')
    .action(act((invocation, flags: CreateFlags & { name: string }) => create(invocation, flags, flags.name)))
}
