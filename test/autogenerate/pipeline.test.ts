/** What stands around the comparison: what it locks, what it leaves behind, where it works, what it refuses. */
import { setTimeout as sleep } from 'node:timers/promises'

import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { compareModels, generate } from '../../lib/autogenerate/autogenerate.ts'
import { acceptanceOf } from '../../lib/autogenerate/select.ts'
import { TenantContext } from '../../lib/context.ts'
import { withSession } from '../../lib/migrations/session.ts'
import { bindSearchPath } from '../../lib/search-path.ts'
import { catalogOf } from '../support/catalog.ts'
import { startChild } from '../support/child.ts'
import { query, testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { items } from './support/case.ts'
import { EVERYTHING, workbench } from './support/workbench.ts'

const test = suite('autogenerate/pipeline')
const database = testDatabase(test)
const elsewhere = testDatabase(test)
const open = workbench(test, database)

const { INTEGER, TEXT, ENUM } = DataTypes

test('a locked specimen is compared all the same: its tables are not touched', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  const after = items({ a: TEXT, b: INTEGER })
  let isDone = false
  const locked = query(
    database.url,
    `BEGIN; LOCK TABLE ${schema}.items IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT`,
  ).then(() => (isDone = true))
  await sleep(200)
  await bench.generate(await bench.compare(after, schema))
  assert.not(isDone, 'it waited for the lock')
  await locked
  await bench.drop(schema)
})

test('a migration that is not right is refused, with what is still different', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  const compared = await bench.compare(items({ a: INTEGER, b: INTEGER }), schema)
  const request = {
    message: 'x',
    renames: undefined,
    decide: undefined,
    failOn: [],
    destructive: true,
    online: false,
  }
  const written = (up: string, down: string) =>
    generate(bench.place, compared, request, (_generated, verify) =>
      verify([[{ name: '1_x.mjs', text: `export const up = ${up}\nexport const down = ${down}` }]]),
    )
  const nothing = 'async () => {}'
  const right = `async ({ context }) => context.addColumn('items', 'b', { type: 'integer' })`
  const notUp = await failure('VERIFICATION_FAILED', () => written(nothing, nothing))
  assert.match(notUp.message, 'up does not lead to the models')
  assert.match(notUp.message, 'ADD COLUMN "b" integer')
  const notDown = await failure('VERIFICATION_FAILED', () => written(right, nothing))
  assert.match(notDown.message, 'down does not lead back')
  const broken = await failure('VERIFICATION_FAILED', () =>
    written(`async () => { throw new Error('oh') }`, nothing),
  )
  assert.match(broken.message, 'oh')
  await bench.drop(schema)
})

test('a hazard that is refused names itself and the flag', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  const compared = await bench.compare(items({}), schema)
  const { message } = await failure('HAZARD_REFUSED', () =>
    bench.generate(compared, { failOn: ['data-loss'] }),
  )
  assert.match(message, 'Every value of items.a is gone')
  assert.match(message, '--fail-on data-loss')
  await bench.drop(schema)
})

test('tables and kinds of differences can be left out', async () => {
  const bench = await open()
  const byHand = `CREATE TYPE of_hand AS ENUM ('x'); CREATE TABLE by_hand (x of_hand); CREATE INDEX slow ON items (a)`
  const schema = await bench.make(items({ a: INTEGER, gone: INTEGER }), { sql: byHand })
  const kinds = async (rules: Partial<typeof EVERYTHING>) =>
    (await bench.compare(items({ a: INTEGER }), schema, { ...EVERYTHING, ...rules })).differences.map((each) => each.kind) // prettier-ignore
  assert.equal(await kinds({}), ['drop index', 'drop column', 'drop table', 'drop enum'])
  assert.equal(await kinds({ exclude: ['by_*'] }), ['drop index', 'drop column'])
  assert.equal(await kinds({ include: ['by_*'] }), ['drop table', 'drop enum'])
  assert.equal(await kinds({ ignore: ['indexes', 'columns', 'tables'] }), [])
  assert.equal(await kinds({ operation: ({ kind }) => kind === 'drop column' }), ['drop column'])
  const { differences } = await bench.compare(items({ a: INTEGER }), schema)
  assert.equal(await kinds({ accepted: new Set(differences.map(acceptanceOf)) }), [])
  await bench.drop(schema)
})

test('foreign keys into a shared table that somebody holds are not waited for', async () => {
  const bench = await open()
  await database.query('CREATE SCHEMA shared; CREATE TABLE shared.country (code text PRIMARY KEY)')
  const schema = await bench.make(items({}))
  const holding = query(
    database.url,
    'BEGIN; LOCK TABLE shared.country IN ROW EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT',
  )
  await sleep(200)
  const { problems } = await bench.compare((sequelize) => {
    const code = {
      type: TEXT,
      references: { model: { tableName: 'country', schema: 'shared' }, key: 'code' },
    }
    sequelize.define('city', { code })
  }, schema)
  assert.match(problems[0]?.message ?? '', 'lock timeout')
  await holding
  await bench.drop(schema)
})

test('scratch schemas can be made in another database', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  const before = await catalogOf(elsewhere)
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const context = new TenantContext({ searchPath: [], onMissing: 'error' })
  bindSearchPath(sequelize, context)
  items({ a: INTEGER, e: ENUM('x') })(sequelize)
  const limits = { lockTimeoutMs: 1000, statementTimeoutMs: 0 }
  await withSession({ connection: elsewhere.url, ...limits }, async (other) => {
    const place = { ...bench.place, openScratch: <T>(fn: (session: typeof other) => Promise<T>) => fn(other) }
    const compared = await compareModels(place, { sequelize, context }, schema, EVERYTHING)
    assert.equal(
      compared.differences.map(({ kind }) => kind),
      ['create enum', 'add column'],
    )
  })
  assert.equal(await catalogOf(elsewhere), before)
  await bench.drop(schema)
})

test('an event trigger is named, and one that refuses a table says so with the way round', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  await database.query(`
    CREATE FUNCTION public.no_big_tables() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%.bigs') THEN
          RAISE 'no tables of that name';
        END IF;
      END $$;
    CREATE FUNCTION public.nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER small ON ddl_command_end EXECUTE FUNCTION public.no_big_tables();
    CREATE EVENT TRIGGER sleeping ON ddl_command_end EXECUTE FUNCTION public.nothing();
    ALTER EVENT TRIGGER sleeping DISABLE`)
  try {
    const { eventTriggers, problems, differences } = await bench.compare((sequelize) => {
      items({ a: INTEGER, b: INTEGER })(sequelize)
      sequelize.define('big', { a: INTEGER })
    }, schema)
    assert.equal(
      eventTriggers.map(({ name }) => name),
      ['small'],
    )
    assert.equal(
      differences.map(({ kind }) => kind),
      ['add column'],
    )
    assert.is(problems.length, 1)
    assert.match(
      problems[0]?.message ?? '',
      /no tables of that name; event trigger "small" refuses it: .*--shadow-url/,
    )
  } finally {
    await database.query('DROP EVENT TRIGGER small; DROP EVENT TRIGGER sleeping')
  }
  await bench.drop(schema)
})

test('an event trigger that refuses the scratch schema itself is named, and nothing else is blamed', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  const compared = await bench.compare(items({ a: INTEGER, b: INTEGER }), schema)
  await database.query(`
    CREATE FUNCTION public."No DDL"() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
    CREATE EVENT TRIGGER closed ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION public."No DDL"()`)
  try {
    const { message } = await failure('SCRATCH_REFUSED', () => bench.compare(items({ a: TEXT }), schema))
    assert.match(message, 'Event trigger "closed"')
    assert.match(message, 'not today')
    assert.match(message, '--shadow-url')
    const eventTriggers = [{ name: 'closed', function: 'No DDL' }]
    await failure('SCRATCH_REFUSED', () => bench.generate({ ...compared, eventTriggers }))
  } finally {
    await database.query('DROP EVENT TRIGGER closed')
  }
  await bench.drop(schema)
})

test('a process that is killed in the middle leaves nothing', async () => {
  const bench = await open()
  const schema = await bench.make(items({ a: INTEGER }))
  const before = await catalogOf(database)
  const { process: child, outcome } = await startChild(
    `import { withSession } from 'lib/migrations/session.js'
     import { withScratchSchema } from 'lib/autogenerate/scratch.js'
     const [, connection] = process.argv
     await withSession({ connection, lockTimeoutMs: 0, statementTimeoutMs: 0 }, (session) =>
       withScratchSchema(session, { purpose: 'copy', searchPath: [] }, async () => {
         await session.query('CREATE TABLE items (a integer)')
         console.log('made')
         await new Promise((resolve) => setTimeout(resolve, 60_000))
       }))`,
    database.url,
  )
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
  child.kill('SIGKILL')
  await outcome
  for (let attempt = 0; attempt < 50 && (await catalogOf(database)).length !== before.length; attempt++)
    await sleep(50)
  assert.equal(await catalogOf(database), before)
  await bench.drop(schema)
})

test.run()
