/** `autogenerate`, `check` and `revision --autogenerate` as a person or a pipeline runs them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { ErrorDocument } from '../../lib/errors.ts'
import type { Operation } from '../../lib/autogenerate/operation.ts'
import { catalogOf, rowsOf } from '../support/catalog.ts'
import { projectsInThisProcess, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/autogenerate')
const database = testDatabase(test)
const project = projectsInThisProcess(test, database)

interface Report {
  readonly differences: readonly Operation[]
  readonly file?: string
  readonly files?: readonly string[]
}

/** A module of models in the form that the configuration names. */
function models(attributes: string, more = ''): string {
  return `export default (sequelize) => {
  const { DataTypes } = sequelize.constructor
  sequelize.define('user', { ${attributes} }, { timestamps: false })
  ${more}
}
`
}

/** A project whose models can be written anew: what this process has imported from a path once stays what it was. */
async function withModels(text: string): Promise<CliProject> {
  let release = 1
  const app = await project({
    'models-1.mjs': text,
    'models.txt': './models-1.mjs',
    'umzug-tenants.config.mjs': `
      import { readFileSync } from 'node:fs'
      export default {
        url: ${JSON.stringify(database.url)},
        lock: { waitMs: 50 },
        get models() { return readFileSync(new URL('models.txt', import.meta.url), 'utf8') },
      }`,
  })
  return {
    ...app,
    async write({ 'models.mjs': changed, ...files }) {
      release++
      const written = changed === undefined ? {} : { [`models-${release}.mjs`]: changed, 'models.txt': `./models-${release}.mjs` } // prettier-ignore
      await app.write({ ...files, ...written })
    },
  }
}

/** A project whose tenant has the first release's table. */
async function started(attributes: string): Promise<CliProject> {
  await database.query('DROP SCHEMA IF EXISTS umzug_tenants, a, b, c CASCADE')
  const app = await withModels(models(attributes))
  await app.cli(['tenants', 'create', 'a'])
  const { code, stderr } = await app.cli(['autogenerate', '-m', 'first'])
  assert.is(code, 0, stderr)
  await app.cli(['up', '--all'])
  return app
}

test('a column that a model gains becomes a migration, which check asks for and is content with', async () => {
  const app = await started('name: DataTypes.STRING')
  assert.is((await app.cli(['check'])).code, 0)
  await app.write({ 'models.mjs': models('name: DataTypes.STRING, avatar: DataTypes.TEXT') })

  const due = await app.cli(['check', '--specimen', 'a'])
  assert.is(due.code, 3)
  assert.match(due.stdout, 'add column users.avatar')
  assert.match(due.stdout, 'umzug-tenants autogenerate -m')

  const { document } = await app.json<Report>(['autogenerate', '-m', 'add avatar', '--specimen', 'a'])
  assert.equal(
    document.differences.map(({ kind }) => kind),
    ['add column'],
  )
  assert.match(document.file ?? '', /\/migrations\/\d{14}_add_avatar\.ts$/)
  assert.match(
    await readFile(document.file ?? '', 'utf8'),
    "await context.addColumn('users', 'avatar', { type: DataTypes.TEXT })",
  )
  assert.is((await app.cli(['up', '--all'])).code, 0)
  assert.is((await app.cli(['check'])).code, 0)
  const none = await app.cli(['autogenerate', '-m', 'again'])
  assert.is(none.code, 0)
  assert.match(none.stdout, 'no difference')
})

test('a specimen that is behind is refused, with the way to bring it to head', async () => {
  const app = await started('name: DataTypes.STRING')
  await app.write({ 'models.mjs': models('name: DataTypes.STRING, x: DataTypes.TEXT') })
  await app.cli(['autogenerate', '-m', 'x'])
  const { code, stderr } = await app.cli(['check', '--specimen', 'a'])
  assert.is(code, 3)
  assert.match(stderr, 'TENANT_PENDING')
  assert.match(stderr, 'umzug-tenants up --tenant a')
})

test('what may be a rename is refused without a terminal, with the exact flags; with them rows stay', async () => {
  const app = await started('nm: DataTypes.STRING')
  await database.query(`INSERT INTO a.users (nm) VALUES ('Ada')`)
  await app.write({ 'models.mjs': models('name: DataTypes.STRING') })
  const refused = await app.json<{ error: ErrorDocument }>(['autogenerate', '-m', 'rename'])
  assert.is(refused.code, 3)
  assert.is(refused.document.error.code, 'RENAME_UNDECIDED')
  assert.equal(refused.document.error.fix, [
    'if it was renamed: --rename users.nm=name',
    'if nothing was: --no-renames',
  ])
  assert.is((await app.cli(['autogenerate', '-m', 'rename', '--rename', 'users.nm=name'])).code, 0)
  assert.is((await app.cli(['up', '--all'])).code, 0)
  assert.equal(await rowsOf(database, 'a.users'), ['{"id": 1, "name": "Ada"}'])
})

test('a rename that cannot be used is an error that says why', async () => {
  const app = await started('nm: DataTypes.STRING')
  await app.write({ 'models.mjs': models('name: DataTypes.STRING') })
  const { code, stderr } = await app.cli(['autogenerate', '-m', 'x', '--rename', 'users.mn=name'])
  assert.is(code, 2)
  assert.match(stderr, 'the specimen has no column "mn" in "users"')
})

test('a hazard can be refused, and what loses rows left out', async () => {
  const app = await started('name: DataTypes.STRING, old: DataTypes.INTEGER')
  await app.write({ 'models.mjs': models('name: DataTypes.STRING, young: DataTypes.TEXT') })
  const refused = await app.cli(['autogenerate', '-m', 'x', '--fail-on', 'data-loss'])
  assert.is(refused.code, 3)
  assert.match(refused.stderr, 'HAZARD_REFUSED')
  assert.match(refused.stderr, 'Every value of users.old is gone')
  const { stdout } = await app.cli(['autogenerate', '-m', 'x', '--no-destructive'])
  assert.match(stdout, 'left out: drop column users.old')
  await app.cli(['up', '--all'])
  assert.ok((await catalogOf(database, 'a')).some((line) => line.includes('young') && line.includes('old')))
})

test('--format sql writes both ways, and revision --autogenerate is the same command', async () => {
  const app = await started('name: DataTypes.STRING')
  await app.write({ 'models.mjs': models("name: DataTypes.STRING, state: DataTypes.ENUM('x', 'y')") })
  const start = await catalogOf(database, 'a')
  assert.is((await app.cli(['revision', '--autogenerate', '-m', 'state', '--format', 'sql'])).code, 0)
  const names = (await app.list('migrations')).map((name) => name.replace(/^\d+/, ''))
  assert.equal(names, ['_first.ts', '_state.down.sql', '_state.sql'])
  assert.is((await app.cli(['up', '--all'])).code, 0)
  assert.is((await app.cli(['down', '--tenant', 'a', '--yes'])).code, 0)
  assert.equal(await catalogOf(database, 'a'), start)
})

test('--online writes a second file outside a transaction, and up and down run both', async () => {
  const app = await started('name: DataTypes.STRING')
  await database.query(`INSERT INTO a.users (name) VALUES ('Ada')`)
  const start = await catalogOf(database, 'a')
  await app.write({
    'models.mjs': models(
      'name: { type: DataTypes.STRING, allowNull: false, unique: true }, age: DataTypes.INTEGER',
    ),
  })
  const { document } = await app.json<Report>([
    'autogenerate',
    '-m',
    'more',
    '--online',
    '--fail-on',
    'long-lock',
  ])
  assert.equal(
    document.files?.map((file) => file.replace(/.*\d{14}/, '')),
    ['_more.ts', '_more_online.ts'],
  )
  assert.is(document.file, document.files?.[0])
  assert.match(await readFile(document.files?.[1] ?? '', 'utf8'), 'export const transaction = false')
  const lint = await app.cli(['lint'])
  assert.is(lint.code, 0, lint.stdout)
  const up = await app.cli(['up', '--all'])
  assert.is(up.code, 0, up.stderr)
  assert.is((await app.cli(['check'])).code, 0)
  assert.equal(await rowsOf(database, 'a.users'), ['{"id": 1, "age": null, "name": "Ada"}'])
  await app.cli(['down', '--tenant', 'a', '--step', '2', '--yes'])
  assert.equal(await catalogOf(database, 'a'), start)
})

test('differences that are accepted do not count', async () => {
  const app = await started('name: DataTypes.STRING')
  await database.query('CREATE INDEX by_hand ON a.users (name)')
  assert.is((await app.cli(['check'])).code, 3)
  assert.is((await app.cli(['check', '--accept'])).code, 0)
  assert.match(await readFile(join(app.folder, 'autogenerate.baseline.json'), 'utf8'), 'by_hand')
  assert.is((await app.cli(['check'])).code, 0)
  assert.match((await app.cli(['autogenerate', '-m', 'x'])).stdout, 'no difference')
})

test('check --tenants names the tenants that are not what the specimen is', async () => {
  const app = await started('name: DataTypes.STRING')
  await app.cli(['tenants', 'create', 'b', '--up'])
  assert.is((await app.cli(['check', '--tenants', '--specimen', 'a'])).code, 0)
  await database.query('ALTER TABLE b.users ALTER name SET NOT NULL')
  const { code, document } = await app.json<{ tenants: { id: string; state: string }[] }>([
    'check', '--tenants', '--specimen', 'a',
  ]) // prettier-ignore
  assert.is(code, 3)
  assert.equal(
    document.tenants.map(({ id, state }) => [id, state]),
    [['b', 'drifted']],
  )
})

test('check --tenants exits with 4 if a tenant cannot be read, and tells the others', async () => {
  const app = await started('name: DataTypes.STRING')
  await app.cli(['tenants', 'create', 'b', '--up'])
  await database.query('ALTER TABLE b."SequelizeMeta" RENAME name TO gone')
  const { code, stdout } = await app.cli(['check', '--tenants', '--specimen', 'a', '--concurrency', '2'])
  assert.is(code, 4)
  assert.match(stdout, /^b failed: .*column "name" does not exist/)
  const { document } = await app.json<{ tenants: { error?: ErrorDocument }[] }>([
    'check', '--tenants', '--specimen', 'a',
  ]) // prettier-ignore
  assert.match(document.tenants[0]?.error?.detail ?? '', 'does not exist')
})

test('check --tenants says why a tenant that is behind was not compared', async () => {
  const app = await started('name: DataTypes.STRING')
  await app.cli(['tenants', 'create', 'b'])
  assert.is(
    (await app.cli(['check', '--tenants', '--specimen', 'a'])).code,
    0,
    'it is as "a" was at the start',
  )
  await database.query('CREATE TABLE a.by_hand (x integer)')
  const { code, stdout, stderr } = await app.cli(['check', '--tenants', '--specimen', 'a'])
  assert.is(code, 3)
  assert.match(stdout, 'b behind')
  assert.match(stderr, 'were not compared: the migrations, run again, do not lead to what the specimen is')
})

test('event triggers are named in a warning, which keeps nobody from comparing', async () => {
  const app = await started('name: DataTypes.STRING')
  await database.query(`
    CREATE FUNCTION public.nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION public.nothing()`)
  try {
    const { code, stderr } = await app.cli(['check'])
    assert.is(code, 0)
    assert.match(stderr, 'warning: event triggers fire for scratch schemas too: "audit"')
    assert.equal((await app.json<{ eventTriggers: string[] }>(['check'])).document.eventTriggers, ['audit'])
  } finally {
    await database.query('DROP EVENT TRIGGER audit; DROP FUNCTION public.nothing')
  }
})

test('check --data names the tenants with the rows that a migration would break on', async () => {
  const app = await started('name: DataTypes.STRING')
  for (const id of ['b', 'c']) await app.cli(['tenants', 'create', id, '--up'])
  await database.query(`INSERT INTO a.users (name) VALUES ('x'); INSERT INTO b.users (name) VALUES (NULL), (NULL);
                        DROP TABLE c.users`)
  await app.write({ 'models.mjs': models('name: { type: DataTypes.STRING, allowNull: false }') })
  const { code, stdout, stderr } = await app.cli(['check', '--data', '--specimen', 'a'])
  assert.is(code, 3, stderr)
  assert.match(stdout, 'b\n  2 rows: users.name is NULL\n')
  assert.match(stdout, 'c\n  not counted: it has no table users\n')
  assert.match(stdout, '1 of 3 tenants have no row that a migration would break on')
  const selected = await app.json<{ data: { tenants: { id: string; findings: object[] }[] } }>([
    'check', '--data', '--specimen', 'a', '--match', '?', '--skip', 'c', '--concurrency', '1',
  ]) // prettier-ignore
  assert.is(selected.code, 3)
  assert.equal(
    selected.document.data.tenants.map(({ id, findings }) => [id, findings.length]),
    [
      ['a', 0],
      ['b', 1],
    ],
  )
  const without = await app.cli(['check', '--all'])
  assert.is(without.code, 2)
  assert.match(without.stderr, 'add --data')
  const shared = await app.cli(['check', '--data', '--tenants'])
  assert.is(shared.code, 2)
  await database.query('DROP SCHEMA c CASCADE')
  const missing = await app.cli(['check', '--data', '--specimen', 'a'])
  assert.is(missing.code, 3)
  assert.match(missing.stderr, 'SCHEMA_MISSING')
  assert.match(missing.stdout, '2 rows: users.name is NULL')
})

test('a model that cannot be made is named with the words of the server, and the others are compared', async () => {
  const app = await started('name: DataTypes.STRING')
  const broken = `sequelize.define('bad', { x: { type: 'NO_SUCH' } })`
  await app.write({ 'models.mjs': models('name: DataTypes.STRING, more: DataTypes.TEXT', broken) })
  const { code, stdout, stderr } = await app.cli(['check'])
  assert.is(code, 3)
  assert.match(stdout, 'add column users.more')
  assert.match(stderr, 'model bad was not compared (table bads): type "no_such" does not exist')
})

test('without models it says how to name them', async () => {
  const app = await project()
  await app.cli(['tenants', 'create', 'b', '--up'])
  const { code, stderr } = await app.cli(['check', '--specimen', 'b'])
  assert.is(code, 2)
  assert.match(stderr, "models: './models.ts'")
})

test('nothing of it stays in the database', async () => {
  const app = await started('name: DataTypes.STRING')
  const before = await catalogOf(database)
  await app.write({ 'models.mjs': models("name: DataTypes.STRING, e: DataTypes.ENUM('x')") })
  await app.cli(['check'])
  await app.cli(['autogenerate', '-m', 'e'])
  assert.equal(await catalogOf(database), before)
})

test.run()
