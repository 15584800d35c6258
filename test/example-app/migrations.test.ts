/** The application's migrations, seeders and configuration, under this process's loader and under plain Node. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import * as assert from 'uvu/assert'

import { describeOperation } from '../../lib/autogenerate/describe.ts'
import { testDatabase } from '../support/database.ts'
import { exampleApp } from '../support/example-app.ts'
import { build, repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('example app: migrations')
const database = testDatabase(test)
const app = exampleApp(test, database)

/** Everything in a schema that migrations make, by name. */
const contentOf = async (schema: string) => {
  const rows = await database.query<{ what: string }>(
    `SELECT format('%s.%s %s%s', table_name, column_name, data_type, '(' || character_maximum_length || ')') AS what
       FROM information_schema.columns WHERE table_schema = $1
     UNION SELECT format('%s: %s', conrelid::regclass, pg_get_constraintdef(oid))
       FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype <> 'n'
     UNION SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = $1`,
    [schema],
  )
  return rows.map(({ what }) => what.replaceAll(`${schema}.`, '')).toSorted()
}

test('a tenant has these tables', async () => {
  const name = await app.createTenant()
  await app.tenancy.up({ tenant: name })
  const content = (await contentOf(name)).filter((line) => !/SequelizeMeta|^index/.test(line))
  assert.equal(content, [
    'permissions.account_id integer',
    'permissions.description character varying(100)',
    'permissions.id integer',
    'permissions.name character varying(100)',
    'permissions.title character varying(100)',
    'permissions.uuid uuid',
    'permissions: PRIMARY KEY (id)',
    'permissions: UNIQUE (uuid)',
    'roles.id integer',
    'roles.role_description character varying(100)',
    'roles.role_name character varying(100)',
    'roles: PRIMARY KEY (id)',
    'roles_permissions_link.permission_id integer',
    'roles_permissions_link.role_id integer',
    'roles_permissions_link: FOREIGN KEY (permission_id) REFERENCES permissions(id)',
    'roles_permissions_link: FOREIGN KEY (role_id) REFERENCES roles(id)',
    'roles_permissions_link: PRIMARY KEY (role_id, permission_id)',
    'users.created_at timestamp with time zone',
    'users.email character varying(256)',
    'users.first_name character varying(100)',
    'users.id integer',
    'users.last_name character varying(100)',
    'users.updated_at timestamp with time zone',
    'users.user_role_id integer',
    'users: FOREIGN KEY (user_role_id) REFERENCES roles(id)',
    'users: PRIMARY KEY (id)',
    'users: UNIQUE (email)',
  ])
})

test('every step down leaves what was there before the step up', async () => {
  const name = await app.createTenant()
  const seen: string[][] = []
  for (let step = 0; step < 3; step++) {
    await app.tenancy.up({ tenant: name, step: 1 })
    seen.push(await contentOf(name))
  }
  for (let step = 2; step > 0; step--) {
    await app.tenancy.down({ tenant: name, step: 1 })
    assert.equal(await contentOf(name), seen[step - 1])
  }
  await app.tenancy.down({ tenant: name, to: 0 })
  assert.ok((await contentOf(name)).every((line) => line.includes('SequelizeMeta')))
  await app.tenancy.up({ tenant: name })
  assert.equal(await contentOf(name), seen[2])
})

test('the models say what the migrations make, so no migration is due', async () => {
  const name = await app.createTenant()
  await app.tenancy.up({ tenant: name })
  const { differences, problems } = await app.tenancy.check({ specimen: name })
  assert.equal(differences.map(describeOperation), [])
  assert.equal(problems, [])
})

test('migrations and seeders name no schema and import nothing but types', () => {
  for (const folder of ['migrations', 'seeders']) {
    for (const file of readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.\w+$/.test(file)) continue
      const text = readFileSync(join(repository, folder, file), 'utf8')
      assert.not.match(text, /\b(?:shared|public)\./, file)
      for (const line of text.match(/^import .*$/gm) ?? []) assert.match(line, /^import type /, file)
    }
  }
})

test('plain Node reads the configuration, the migrations and the seeders', async () => {
  build()
  const umzugTenants = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli/main.js', ...args, '--json'], {
      cwd: repository,
      env: { ...process.env, DATABASE_URL: database.url },
    })
    // docs/cli.md
    return JSON.parse(stdout) as {
      readonly tenants: readonly { id: string; applied?: string[] }[]
      readonly differences?: readonly object[]
      readonly files?: readonly string[]
    }
  }
  const name = await app.createTenant()
  assert.is((await app.tenancy.status({ tenant: name })).state, 'pending')
  assert.is((await umzugTenants('up', '--tenant', name)).tenants[0]?.applied?.length, 3)
  assert.is((await umzugTenants('seed', 'up', '--tenant', name)).tenants[0]?.applied?.length, 1)
  assert.is((await app.tenancy.status({ tenant: name })).state, 'ok')
  assert.equal((await umzugTenants('check', '--specimen', name)).differences, [])
  assert.equal((await umzugTenants('autogenerate', '-m', 'nothing', '--specimen', name)).files, [])
})

test('before the shared schema is migrated the registry says what to do', async () => {
  await app.tenancy.down({ shared: true, to: 0 })
  const failed = await app.tenancy.provision({ id: 'early' }).catch((error: unknown) => error)
  assert.match(String(failed), 'umzug-tenants up --shared')
  assert.match(String(await app.tenancy.list().catch((error: unknown) => error)), 'umzug-tenants up --shared')
  assert.equal(await database.query("SELECT FROM pg_namespace WHERE nspname = 'early'"), [])
  await app.tenancy.up({ shared: true })
  assert.equal(await app.tenancy.list(), [])
})

test.run()
