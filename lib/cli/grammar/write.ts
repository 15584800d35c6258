/** The commands about migration files. */
import type { Command } from 'commander'

import { create, type CreateFlags } from '../commands/create.ts'
import { lint } from '../commands/lint.ts'
import { add, format, type Act } from './flags.ts'

export function addWrite(program: Command, act: Act): void {
  program.commandsGroup('Write:')
  addCreate(program, act)
  addLint(program, act)
}

function addCreate(program: Command, act: Act): void {
  format(
    add(program, 'create', 'write a new migration', ['create add_users', 'create add_users --format sql']),
  )
    .argument('<name>', 'what it does')
    .action(act((invocation, flags: CreateFlags, name) => create(invocation, flags, name)))
}

function addLint(program: Command, act: Act): void {
  add(program, 'lint', 'find what in migrations cannot be the same for all tenants', [
    'lint',
    'lint migrations/20261121090000_users.sql',
  ])
    .argument('[file...]', 'files to read instead of all migrations')
    .action(act(lint))
}
