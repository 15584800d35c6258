/** What sequelize-cli's users type. */
import type { Command } from 'commander'

import { allowable } from '../allow.ts'
import { create, type CreateFlags } from '../commands/create.ts'
import { down, type DownFlags } from '../commands/down.ts'
import { seedDown, seedUp, type SeedFlags } from '../commands/seed.ts'
import { usage } from '../selection.ts'
import { readDownTarget, type TargetFlags } from '../target.ts'
import {
  add,
  collect,
  limitFleet,
  confirmable,
  format,
  selectMany,
  selectTenants,
  type Act,
} from './flags.ts'
import { addDown, addStatus, addUp } from './migrate.ts'

export function addSequelizeCli(program: Command, act: Act): void {
  program.commandsGroup('As in sequelize-cli:')
  addUp(program, 'db:migrate', act)
  addDown(program, 'db:migrate:undo', act)
  addUndoAll(program, act)
  addStatus(program, 'db:migrate:status', act)
  addGenerate(program, 'migration:generate', act)
  addGenerate(program, 'migration:create', act)
  addDbSeed(program, act)
}

function addDbSeed(program: Command, act: Act): void {
  const named = (name: string, description: string) =>
    limitFleet(
      selectTenants(add(program, name, description, [`${name} --tenant acme --seed 001_admin.js`])),
    ).option('--seed <name>', 'this seed file alone; may be repeated', collect)
  const all = (name: string, description: string) =>
    limitFleet(selectTenants(add(program, name, description, [`${name} --tenant acme`])))
  named('db:seed', 'apply the seed files that are named').action(
    act((invocation, flags: DbSeedFlags) => seedUp(invocation, onlyNamed(flags, 'db:seed:all'), {})),
  )
  all('db:seed:all', 'apply the seed files that tenants have not had yet').action(
    act((invocation, flags: SeedFlags) => seedUp(invocation, flags, {})),
  )
  confirmable(named('db:seed:undo', 'revert the last seed file, or those that are named')).action(
    act((invocation, { seed, ...flags }: DbSeedFlags) =>
      seedDown(invocation, seed === undefined ? flags : { ...flags, only: seed }, {}),
    ),
  )
  confirmable(all('db:seed:undo:all', 'revert every seed file')).action(
    act((invocation, flags: SeedFlags) => seedDown(invocation, flags, { to: 0 })),
  )
}

interface DbSeedFlags extends SeedFlags {
  readonly seed?: readonly string[]
}

/** @throws {@link TenancyError} USAGE if no file is named: that would be all of them. */
function onlyNamed({ seed, ...flags }: DbSeedFlags, all: string): SeedFlags {
  if (seed === undefined) throw usage('No seed file is named.', 'add --seed NAME', `or apply all: ${all}`)
  return { ...flags, only: seed }
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

function addGenerate(program: Command, name: string, act: Act): void {
  format(add(program, name, 'write a new migration', [`${name} --name add-users`]))
    .requiredOption('--name <name>', 'what it does')
    .action(act((invocation, flags: CreateFlags & { name: string }) => create(invocation, flags, flags.name)))
}
