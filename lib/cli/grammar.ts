/** The commands: their names and other spellings, their flags, their help. What they do is in `commands/`. */
import { Option, type Command } from 'commander'

import { MIGRATION_FORMATS } from '../migrations/template.ts'
import { allowable } from './allow.ts'
import { create, type CreateFlags } from './commands/create.ts'
import { down, type DownFlags } from './commands/down.ts'
import { lint } from './commands/lint.ts'
import { repair, type RepairFlags } from './commands/repair.ts'
import { seed } from './commands/seed.ts'
import { status, type StatusFlags } from './commands/status.ts'
import {
  createTenant,
  dropTenant,
  listTenants,
  type CreateTenantFlags,
  type DropTenantFlags,
} from './commands/tenants.ts'
import { up, type UpFlags } from './commands/up.ts'
import type { Invocation } from './invocation.ts'
import type { SelectionFlags } from './selection.ts'
import { readDowngrade, readDownTarget, readUpgrade, readUpTarget, type TargetFlags } from './target.ts'

/** What a command does with the shared flags, its own flags and its operands; the answer is the exit code. */
export type Action<Flags> = (invocation: Invocation, flags: Flags, ...operands: string[]) => Promise<number>

/** Turns an action into what commander calls. */
export type Act = <Flags>(action: Action<Flags>) => (...parameters: unknown[]) => Promise<void>

export function addCommands(program: Command, act: Act): void {
  program.commandsGroup('Migrate:')
  addUp(program, 'up', act)
  addDown(program, 'down', act)
  addStatus(program, 'status', act)

  addRepair(program, act)

  program.commandsGroup('Write:')
  addCreate(program, act)
  addLint(program, act)

  program.commandsGroup('Tenants:')
  addTenants(program, act)
  addSeed(program, act)

  program.commandsGroup('As in Alembic:')
  addUpgrade(program, act)
  addDowngrade(program, act)
  addStatus(program, 'current', act)
  addRevision(program, act)

  program.commandsGroup('As in sequelize-cli:')
  addUp(program, 'db:migrate', act)
  addDown(program, 'db:migrate:undo', act)
  addUndoAll(program, act)
  addStatus(program, 'db:migrate:status', act)
  addGenerate(program, act)
}

function addUp(program: Command, name: string, act: Act): void {
  const command = add(program, name, 'apply pending migrations', [
    `${name} --tenant acme`,
    `${name} --all --concurrency 4`,
  ])
  allowable(limit(selectMany(command), 'the last migration to run'))
    .option('--dry-run', 'print what would run, and write nothing')
    .action(act((invocation, flags: UpFlags & TargetFlags) => up(invocation, flags, readUpTarget(flags))))
}

function addUpgrade(program: Command, act: Act): void {
  const command = add(program, 'upgrade', 'apply migrations up to a revision', [
    '-x tenant=acme upgrade head',
  ])
  allowable(selectMany(command))
    .argument('<revision>', 'head, +N, or the last migration to run')
    .option('--dry-run', 'print what would run, and write nothing')
    .action(act((invocation, flags: UpFlags, revision) => up(invocation, flags, readUpgrade(revision))))
}

function addDown(program: Command, name: string, act: Act): void {
  const command = add(program, name, 'revert the last migration, or more', [
    `${name} --tenant acme`,
    `${name} --tenant acme --to 0 --yes`,
  ])
  limit(confirmable(allowable(selectMany(command))), 'the last migration to revert; 0 reverts all').action(
    act((invocation, flags: DownFlags & TargetFlags) => down(invocation, flags, readDownTarget(flags))),
  )
}

function addDowngrade(program: Command, act: Act): void {
  const command = add(program, 'downgrade', 'revert migrations down to a revision', [
    '-x tenant=acme downgrade -1',
  ])
  confirmable(allowable(selectMany(command)))
    .argument('<revision>', '-N, base, or the migration to arrive at, which stays')
    .action(act((invocation, flags: DownFlags, revision) => down(invocation, flags, readDowngrade(revision))))
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

function addStatus(program: Command, name: string, act: Act): void {
  select(add(program, name, 'print where tenants stand: all, or those selected', [name, `${name} --check`]))
    .option('--check', 'exit with 3 if a tenant is behind, failed or missing')
    .option('--verify', 'read every version table instead of the ledger')
    .action(act((invocation, flags: StatusFlags) => status(invocation, flags)))
}

function addCreate(program: Command, act: Act): void {
  format(
    add(program, 'create', 'write a new migration', ['create add_users', 'create add_users --format sql']),
  )
    .argument('<name>', 'what it does')
    .action(act((invocation, flags: CreateFlags, name) => create(invocation, flags, name)))
}

function addRevision(program: Command, act: Act): void {
  format(add(program, 'revision', 'write a new migration', ['revision -m "add users"']))
    .requiredOption('-m, --message <message>', 'what it does')
    .action(
      act((invocation, flags: CreateFlags & { message: string }) => create(invocation, flags, flags.message)),
    )
}

function addGenerate(program: Command, act: Act): void {
  format(add(program, 'migration:generate', 'write a new migration', ['migration:generate --name add-users']))
    .requiredOption('--name <name>', 'what it does')
    .action(act((invocation, flags: CreateFlags & { name: string }) => create(invocation, flags, flags.name)))
}

function addLint(program: Command, act: Act): void {
  add(program, 'lint', 'find what in migrations cannot be the same for all tenants', [
    'lint',
    'lint migrations/20261121090000_users.sql',
  ])
    .argument('[file...]', 'files to read instead of all migrations')
    .action(act(lint))
}

function addTenants(program: Command, act: Act): void {
  const tenants = program.command('tenants').description('list, register and drop tenants').helpCommand(false)
  add(tenants, 'list', 'print the registered tenants', ['tenants list']).action(act(listTenants))
  add(tenants, 'create', 'register a tenant and create its schema, empty', [
    'tenants create acme --host acme.example.com --up',
  ])
    .argument('<id>', 'what the application calls the tenant')
    .option('--schema <name>', 'its schema (default: the id)')
    .option('--host <name>', 'host name under which requests find it')
    .option('--up', 'apply all migrations, too')
    .action(act((invocation, flags: CreateTenantFlags, id) => createTenant(invocation, flags, id)))
  confirmable(
    add(tenants, 'drop', 'drop a tenant: its schema, its data, its registration', ['tenants drop acme']),
  )
    .argument('<id>', 'the tenant')
    .action(act((invocation, flags: DropTenantFlags, id) => dropTenant(invocation, flags, id)))
}

function addSeed(program: Command, act: Act): void {
  const seeds = program.command('seed').description('apply seed files').helpCommand(false)
  select(
    add(seeds, 'up', 'apply the seed files that tenants have not had yet', ['seed up --tenant acme']),
  ).action(act((invocation, flags: SelectionFlags) => seed(invocation, flags)))
}

// ------------------------------------------------------------------------------------ what commands have in common

function add(parent: Command, name: string, description: string, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ umzug-tenants ${example}\n`)
  return parent
    .command(name)
    .description(description)
    .addHelpText('after', `\nFor example:\n${lines.join('')}`)
}

function select(command: Command): Command {
  return command
    .option('--tenant <id>', 'one tenant, or several: a,b; may be repeated', collect)
    .option('--all', 'every tenant')
    .option('--match <pattern>', "tenants whose id matches, such as 'a*'")
    .option('--shared', 'the shared schema')
}

function selectMany(command: Command): Command {
  return select(command).option('--concurrency <n>', 'tenants at once')
}

function limit(command: Command, last: string): Command {
  return command
    .option('--to <name>', `${last}: its file name or revision`)
    .option('--step <n>', 'how many migrations')
}

function confirmable(command: Command): Command {
  return command.option('-y, --yes', 'do not ask for confirmation')
}

function format(command: Command): Command {
  const option = new Option('--format <format>', 'default: what the folder holds most of, else ts')
  return command.addOption(option.choices(MIGRATION_FORMATS))
}

/** Collects the values of a flag that may be repeated. */
export function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}
