/** What models make in a shadow is what plain `sync` makes in `public` of a fresh database. */
import { DataTypes, Deferrable, Model, Sequelize, type QueryOptions, type SyncOptions } from 'sequelize'
import * as assert from 'uvu/assert'

import { readSnapshot } from '../../lib/autogenerate/read.ts'
import { withScratchSchema } from '../../lib/autogenerate/scratch.ts'
import { makeShadow } from '../../lib/autogenerate/shadow.ts'
import type { ModelProblem } from '../../lib/autogenerate/models.ts'
import type { Snapshot } from '../../lib/autogenerate/snapshot.ts'
import { TenantContext } from '../../lib/context.ts'
import { withSession, type MigrationSession } from '../../lib/migrations/session.ts'
import { bindSearchPath } from '../../lib/search-path.ts'
import { catalogOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('autogenerate/shadow')
const database = testDatabase(test)

type Define = (sequelize: Sequelize) => void

/** Of the session in which the last shadow was made. */
let messages = 0

function counting(session: MigrationSession): void {
  const { sequelize } = session
  const query = session.query.bind(session)
  const ofModels = sequelize.query.bind(sequelize) as (...parameters: unknown[]) => Promise<unknown>
  session.query = (text, values) => {
    messages++
    return query(text, values)
  }
  Object.assign(sequelize, {
    query: (...parameters: unknown[]) => {
      messages++
      return ofModels(...parameters)
    },
  })
}

interface Shadow {
  readonly snapshot: Snapshot
  readonly problems: readonly ModelProblem[]
}

async function shadowOf(define: Define): Promise<Shadow> {
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false, pool: { max: 1 } })
  const context = new TenantContext({ searchPath: ['shared'], onMissing: 'error' })
  bindSearchPath(sequelize, context)
  define(sequelize)
  const limits = { lockTimeoutMs: 1000, statementTimeoutMs: 0 }
  try {
    return await withSession({ connection: database.url, ...limits }, (session) => {
      counting(session)
      return withScratchSchema(session, { purpose: 'shadow', searchPath: ['shared'] }, async (schema) => {
        const options = { sequelize, context, isExcluded: () => false, foundations: [], lockTimeoutMs: 1000 }
        const problems = await makeShadow(session, schema, options)
        return { problems, snapshot: await readSnapshot(session, schema) }
      })
    })
  } finally {
    await sequelize.close()
  }
}

/** The same models, by stock Sequelize, in `public`. */
async function stockOf(define: Define): Promise<Snapshot> {
  const options = { dialect: 'postgres', logging: false } as const
  const sequelize = new Sequelize(database.url, options)
  define(sequelize)
  try {
    await sequelize.sync()
    return await withSession(
      { connection: database.url, lockTimeoutMs: 0, statementTimeoutMs: 0 },
      (session) => readSnapshot(session, 'public'),
    )
  } finally {
    await sequelize.close()
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  }
}

test.before(() =>
  database.query(`CREATE SCHEMA shared; CREATE TABLE shared.country (code char(2) PRIMARY KEY)`),
)

const MODELS: Readonly<Record<string, Define>> = {
  'types of every kind'(sequelize) {
    sequelize.define('Thing', {
      text: DataTypes.TEXT,
      short: { type: DataTypes.STRING(10), allowNull: false, defaultValue: "it's" },
      flag: { type: DataTypes.BOOLEAN, defaultValue: false },
      big: DataTypes.BIGINT,
      price: { type: DataTypes.DECIMAL(8, 3), defaultValue: 1.5 },
      day: DataTypes.DATEONLY,
      token: { type: DataTypes.UUID, defaultValue: Sequelize.literal('gen_random_uuid()') },
      client: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
      json: { type: DataTypes.JSONB, defaultValue: { a: [1] } },
      tags: { type: DataTypes.ARRAY(DataTypes.STRING), defaultValue: [] },
      range: DataTypes.RANGE(DataTypes.INTEGER),
      ip: DataTypes.INET,
      words: DataTypes.TSVECTOR,
      twice: { type: 'INTEGER GENERATED ALWAYS AS (id * 2) STORED' },
      virtual: DataTypes.VIRTUAL,
      code: DataTypes.CHAR(3),
    })
  },
  'enums, and arrays of them'(sequelize) {
    sequelize.define('mood', {
      one: { type: DataTypes.ENUM('a', "b'c", 'D e'), defaultValue: 'a' },
      many: DataTypes.ARRAY(DataTypes.ENUM('x', 'y')),
    })
  },
  'indexes, unique constraints and comments'(sequelize) {
    sequelize.define(
      'note',
      {
        a: { type: DataTypes.STRING, unique: true, comment: 'the "first" one\'s' },
        b: { type: DataTypes.STRING, unique: 'both' },
        c: { type: DataTypes.INTEGER, unique: 'both' },
        d: DataTypes.JSONB,
      },
      {
        comment: 'notes',
        indexes: [
          { fields: ['b', { name: 'c', order: 'DESC' }] },
          { fields: ['c'], where: { c: 1 }, name: 'partial' },
          { fields: ['d'], using: 'gin' },
          { fields: [Sequelize.fn('lower', Sequelize.col('b'))], name: 'lowered', unique: true },
          { fields: ['a'], concurrently: true, name: 'later' },
        ],
      },
    )
  },
  'associations: to itself, in a circle, over a join table'(sequelize) {
    const Person = sequelize.define('Person', { name: DataTypes.STRING }, { paranoid: true })
    const Team = sequelize.define('team', {}, { underscored: true })
    Person.belongsTo(Person, { as: 'boss' })
    Person.belongsTo(Team, { as: 'first', constraints: false })
    Person.belongsToMany(Team, { through: 'Membership' })
    Team.belongsToMany(Person, { through: 'Membership' })
    Team.hasMany(Person, { foreignKey: { name: 'teamId', allowNull: false }, onDelete: 'RESTRICT' })
  },
  'keys: composite, textual, identity, and none'(sequelize) {
    sequelize.define('pair', { a: { type: DataTypes.INTEGER, primaryKey: true }, b: { type: DataTypes.STRING, primaryKey: true } }) // prettier-ignore
    sequelize.define('ident', {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true },
    })
    sequelize.define('big', { id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true } })
    sequelize.define('none', { x: DataTypes.INTEGER }).removeAttribute('id')
  },
  'a foreign key that is deferrable, and one by hand'(sequelize) {
    sequelize.define('a', { code: { type: DataTypes.INTEGER, unique: true } })
    sequelize.define('b', {
      code: {
        type: DataTypes.INTEGER,
        references: { model: 'as', key: 'code', deferrable: new Deferrable.INITIALLY_DEFERRED() },
        onDelete: 'cascade',
      },
    })
  },
  'hooks that add indexes, with and without a transaction'(sequelize) {
    const Note = sequelize.define('hooked', { a: DataTypes.INTEGER, b: DataTypes.INTEGER })
    Note.afterSync(async (options) => {
      await sequelize.query('CREATE INDEX with_transaction ON hookeds (a)', options as QueryOptions)
      await sequelize.query('CREATE INDEX without_transaction ON hookeds (b)')
    })
    sequelize.addHook('afterBulkSync', async () => {
      await sequelize.query('CREATE INDEX at_the_end ON hookeds (a, b)')
    })
  },
  'a model with a sync of its own'(sequelize) {
    class Noted extends Model {
      static override async sync<M extends Model>(options?: SyncOptions): Promise<M> {
        const synced = await super.sync<M>(options)
        await sequelize.query("COMMENT ON TABLE noteds IS 'of its own'", options as QueryOptions)
        return synced
      }
    }
    Noted.init({ a: DataTypes.INTEGER }, { sequelize, modelName: 'noted' })
    sequelize.define('plain', { a: DataTypes.INTEGER })
  },
  'two models of one table'(sequelize) {
    sequelize.define('first', { a: DataTypes.INTEGER }, { tableName: 't' })
    sequelize.define('second', { a: DataTypes.INTEGER }, { tableName: 't', indexes: [{ fields: ['a'] }] })
  },
}

for (const [what, define] of Object.entries(MODELS)) {
  test(`${what}: as plain sync makes it`, async () => {
    const { snapshot, problems } = await shadowOf(define)
    assert.equal(problems, [])
    assert.equal(snapshot, await stockOf(define))
    assert.ok(snapshot.tables.length > 0)
  })
}

test('many models take no more messages than few', async () => {
  const define = (count: number) => (sequelize: Sequelize) => {
    for (let index = 0; index < count; index++) {
      sequelize
        .define(`model${index}`, { a: DataTypes.ENUM('x') }, { indexes: [{ fields: ['a'] }] })
        .belongsTo(sequelize.models['model0'] ?? sequelize.define('never', {}), { as: 'first' })
    }
  }
  const messagesOf = async (count: number) => {
    messages = 0
    const { snapshot } = await shadowOf(define(count))
    assert.is(snapshot.tables.length, count)
    return messages
  }
  assert.is(await messagesOf(20), await messagesOf(2))
})

test('nothing of it stays', async () => {
  const before = await catalogOf(database)
  await shadowOf((sequelize) => void sequelize.define('x', { e: DataTypes.ENUM('a') }))
  assert.equal(await catalogOf(database), before)
})

test('SERIAL with a default of null is made without the default', async () => {
  const { snapshot, problems } = await shadowOf((sequelize) => {
    const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true, defaultValue: null }
    sequelize.define('x', { id })
  })
  assert.equal(problems, [])
  assert.is(snapshot.tables[0]?.columns[0]?.serial?.name, 'xes_id_seq')
})

test('a model with a schema of its own is not made, but can be referenced', async () => {
  const { snapshot, problems } = await shadowOf((sequelize) => {
    const Country = sequelize.define(
      'country',
      { code: { type: DataTypes.CHAR(2), primaryKey: true } },
      { schema: 'shared', tableName: 'country' },
    )
    sequelize.define('city', {}).belongsTo(Country)
  })
  assert.equal(problems, [])
  assert.equal(
    snapshot.tables.map(({ name }) => name),
    ['cities'],
  )
  const references = snapshot.tables[0]?.constraints.map((constraint) => constraint.references)
  assert.equal(references, [{ schema: 'shared', table: 'country', columns: ['code'] }, null])
})

test('a model that cannot be made is told with the words of the server, and the others are made', async () => {
  const { snapshot, problems } = await shadowOf((sequelize) => {
    sequelize.define('bad', { x: { type: 'NO_SUCH_TYPE' } })
    sequelize.define('lost', { x: { type: DataTypes.INTEGER, references: { model: 'nowhere', key: 'id' } } })
    sequelize.define('good', { x: DataTypes.INTEGER })
  })
  assert.equal(
    problems.map(({ model, table }) => [model, table]),
    [
      ['bad', 'bads'],
      ['lost', 'losts'],
    ],
  )
  assert.match(problems[0]?.message ?? '', 'type "no_such_type" does not exist')
  assert.match(problems[1]?.message ?? '', 'relation "nowhere" does not exist')
  assert.ok(snapshot.tables.some(({ name }) => name === 'goods'))
})

test('two ENUM columns whose types would have one name are refused', async () => {
  const { problems } = await shadowOf((sequelize) => {
    sequelize.define('x', { b_c: DataTypes.ENUM('1') }, { tableName: 'a' })
    sequelize.define('y', { c: DataTypes.ENUM('2') }, { tableName: 'a_b' })
  })
  assert.is(problems.length, 1)
  assert.match(problems[0]?.message ?? '', /would both be the type "enum_a_b_c": rename a field/)
})

test.run()
