/** The commands about migration files. */
import type { Command } from 'commander'

import { autogenerate, type AutogenerateFlags } from '../commands/autogenerate.ts'
import { check, type CheckFlags } from '../commands/check.ts'
import { create, type CreateFlags } from '../commands/create.ts'
import { lint } from '../commands/lint.ts'
import { add, collect, format, limitFleet, selectTenants, type Act } from './flags.ts'

export function addWrite(program: Command, act: Act): void {
  program.commandsGroup('Write:')
  addCreate(program, act)
  addAutogenerate(program, act)
  addCheck(program, act)
  addLint(program, act)
}

function addCreate(program: Command, act: Act): void {
  format(
    add(program, 'create', 'write a new migration', ['create add_users', 'create add_users --format sql']),
  )
    .argument('<name>', 'what it does')
    .action(act((invocation, flags: CreateFlags, name) => create(invocation, flags, name)))
}

function addAutogenerate(program: Command, act: Act): void {
  const command = add(program, 'autogenerate', 'write the migration that the models ask for', [
    'autogenerate -m "add avatar" --specimen acme',
    'autogenerate -m "rename" --rename users.nm=name',
  ])
  generating(format(command))
    .requiredOption('-m, --message <message>', 'what it does')
    .action(act((invocation, flags: AutogenerateFlags) => autogenerate(invocation, flags)))
}

/** The flags of whatever generates a migration. */
export function generating(command: Command): Command {
  return comparing(command)
    .option('--rename <table.old=new>', 'a column was renamed; may be repeated', collect)
    .option('--rename-table <old=new>', 'a table was renamed; may be repeated', collect)
    .option('--no-renames', 'nothing was renamed: drop and add')
    .option('--fail-on <kind>', 'refuse a hazard, such as data-loss; may be repeated', collect)
    .option('--no-destructive', 'leave out what loses rows or values')
    .option('--online', 'what keeps others waiting in safe forms, in a second file without a transaction')
}

function comparing(command: Command): Command {
  return command
    .option('--specimen <id>', 'the tenant that stands for all; default: the only one, or the first at head')
    .option('--shadow-url <url>', 'another database to make scratch schemas in')
}

function addCheck(program: Command, act: Act): void {
  const command = add(program, 'check', 'exit with 3 if a migration is due', [
    'check',
    'check --tenants',
    "check --data --match 'a*'",
  ])
  limitFleet(selectTenants(comparing(command)))
    .option('--data', 'count the rows that a migration would break on: of all tenants, or those selected')
    .option('--tenants', 'compare the tenants with the specimen instead of the models')
    .option('--accept', 'accept the differences there are: they do not count from then on')
    .action(act((invocation, flags: CheckFlags) => check(invocation, flags)))
}

function addLint(program: Command, act: Act): void {
  add(program, 'lint', 'find what in migrations cannot be the same for all tenants', [
    'lint',
    'lint migrations/20261121090000_users.sql',
  ])
    .argument('[file...]', 'files to read instead of all migrations')
    .action(act(lint))
}
