/** The commands about tenants as such, and about what is in them. */
import type { Command } from 'commander'

import { adopt } from '../commands/adopt.ts'
import { rename, type RenameFlags } from '../commands/rename.ts'
import { seedDown, seedStatus, seedUp, type SeedFlags } from '../commands/seed.ts'
import {
  createTenant,
  dropTenant,
  listTenants,
  type CreateTenantFlags,
  type DropTenantFlags,
} from '../commands/tenants.ts'
import type { SelectionFlags } from '../selection.ts'
import { readDownTarget, readUpTarget, type TargetFlags } from '../target.ts'
import { add, addGroup, collect, confirmable, limit, limitFleet, selectTenants, type Act } from './flags.ts'

export function addTenancy(program: Command, act: Act): void {
  program.commandsGroup('Tenants:')
  addTenants(program, act)
  addSeed(program, act)
}

function addTenants(program: Command, act: Act): void {
  const tenants = addGroup(program, 'tenants', 'list, register, adopt, rename, drop', [
    'tenants create acme --up',
    'tenants list',
  ])
  add(tenants, 'list', 'print the registered tenants', ['tenants list']).action(act(listTenants))
  add(tenants, 'create', 'register a tenant and create its schema, empty', [
    'tenants create acme --host acme.example.com --up',
  ])
    .argument('<id>', 'what the application calls the tenant')
    .option('--schema <name>', 'its schema (default: the id)')
    .option('--host <name>', 'host name under which requests find it')
    .option('--up', 'apply all migrations, too')
    .action(act((invocation, flags: CreateTenantFlags, id) => createTenant(invocation, flags, id)))
  addAdopt(tenants, act)
  add(tenants, 'rename', "give a tenant's schema another name", ['tenants rename acme acme_old'])
    .argument('<id>', 'the tenant')
    .argument('<schema>', 'the new name of its schema')
    .option('--dry-run', 'print what would break, and write nothing')
    .action(act((invocation, flags: RenameFlags, id, to) => rename(invocation, flags, id, to)))
  confirmable(
    add(tenants, 'drop', 'drop a tenant: its schema, its data, its registration', ['tenants drop acme']),
  )
    .argument('<id>', 'the tenant')
    .action(act((invocation, flags: DropTenantFlags, id) => dropTenant(invocation, flags, id)))
}

function addAdopt(tenants: Command, act: Act): void {
  const command = add(tenants, 'adopt', 'register schemas that another tool has migrated', [
    "tenants adopt --match 't_*'",
    'tenants adopt old --id acme --stamp head',
    'tenants adopt public --id acme --rename-to acme --dry-run',
  ])
  confirmable(limitFleet(command))
    .argument('[schema...]', 'schemas that exist')
    .option('--match <pattern>', "schemas whose name matches, such as 't_*'")
    .option('--id <id>', 'what the tenant is called (default: the schema)')
    .option('--host <name>', 'host name under which requests find it')
    .option('--stamp <name>', 'where a schema without version table stands')
    .option('--rename-to <schema>', 'give the schema another name')
    .option('--dry-run', 'print what would happen, and write nothing')
    .action(act(adopt))
}

function addSeed(program: Command, act: Act): void {
  const seeds = addGroup(program, 'seed', 'apply seed files, revert them, show them', [
    'seed up --tenant acme',
  ])
  const up = add(seeds, 'up', 'apply the seed files that tenants have not had yet', ['seed up --tenant acme'])
  only(limit(selectTenants(limitFleet(up)), 'the last seed file to apply')).action(
    act((invocation, flags: SeedFlags & TargetFlags) => seedUp(invocation, flags, readUpTarget(flags))),
  )
  const down = add(seeds, 'down', 'revert the last seed file, or more', ['seed down --tenant acme --to 0'])
  confirmable(
    only(limit(selectTenants(limitFleet(down)), 'the last seed file to revert; 0 reverts all')),
  ).action(
    act((invocation, flags: SeedFlags & TargetFlags) => seedDown(invocation, flags, readDownTarget(flags))),
  )
  selectTenants(
    add(seeds, 'status', 'print which seed files tenants have had: all, or those selected', ['seed status']),
  ).action(act((invocation, flags: SelectionFlags) => seedStatus(invocation, flags)))
}

function only(command: Command): Command {
  return command.option('--only <name>', 'this seed file alone; may be repeated', collect)
}
