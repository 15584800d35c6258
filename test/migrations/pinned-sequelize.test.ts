import { createNamespace, destroyNamespace } from 'cls-hooked'
import { DataTypes, QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { PinnedSequelize } from '../../lib/migrations/pinned-sequelize.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/pinned-sequelize')
const database = testDatabase(test)

async function pinned<T>(fn: (sequelize: PinnedSequelize) => Promise<T>): Promise<T> {
  const sequelize = new PinnedSequelize(database.url)
  try {
    await sequelize.pin()
    return await fn(sequelize)
  } finally {
    await sequelize.close()
  }
}

const pidOf = (sequelize: Sequelize, options: object = {}) =>
  sequelize
    .query<{ pid: number }>('SELECT pg_backend_pid() AS pid', { ...options, type: QueryTypes.SELECT })
    .then(([row]) => row?.pid)

test('every query has the one connection, in a transaction of its own too', async () => {
  await pinned(async (sequelize) => {
    const pids = await Promise.all([pidOf(sequelize), pidOf(sequelize)])
    pids.push(await sequelize.transaction((transaction) => pidOf(sequelize, { transaction })))
    assert.is(new Set(pids).size, 1)
  })
})

test('queries that are started at once run one after another, in their order', async () => {
  await pinned(async (sequelize) => {
    const order: number[] = []
    await Promise.all(
      [0.03, 0.01, 0].map((seconds, index) =>
        sequelize.query(`SELECT pg_sleep(${seconds})`).then(() => order.push(index)),
      ),
    )
    assert.equal(order, [0, 1, 2])
  })
})

test('a query that fails does not stop the next one', async () => {
  await pinned(async (sequelize) => {
    const failed = sequelize.query('SELECT 1/0').catch((error: Error) => error.message)
    const next = pidOf(sequelize)
    assert.is(await failed, 'division by zero')
    assert.type(await next, 'number')
  })
})

test('a CLS transaction of the caller is neither joined nor replaced', async () => {
  const namespace = createNamespace('pinned test')
  Sequelize.useCLS(namespace)
  const application = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  try {
    await application.transaction(async (outer) => {
      const own = await pidOf(application)
      await pinned(async (sequelize) => {
        const Model = sequelize.define('m', { a: DataTypes.INTEGER }, { timestamps: false })
        await sequelize.getQueryInterface().createTable('ms', { id: { type: 'serial' }, a: 'int' })
        await Model.create({ a: 1 })
        assert.is.not(await pidOf(sequelize), own)
        await sequelize.transaction(async () => assert.is.not(await pidOf(sequelize), own))
      })
      assert.is(namespace.get('transaction'), outer)
    })
    assert.is((await database.query('SELECT FROM ms')).length, 1)
  } finally {
    await application.close()
    Reflect.deleteProperty(Sequelize, '_cls')
    destroyNamespace('pinned test')
  }
})

test('the application’s hooks, logging and replication are not taken over; its data types are', async () => {
  const { hostname, port, username, password, pathname } = new URL(database.url)
  const server = { host: hostname, port: Number(port), username, password, database: pathname.slice(1) }
  const logged: string[] = []
  const sequelize = new PinnedSequelize({
    ...server,
    dialect: 'postgres',
    logging: (text) => logged.push(text),
    hooks: { beforeDefine: () => assert.unreachable() },
    replication: { read: [{ host: 'nowhere.invalid' }], write: { host: 'nowhere.invalid' } },
    define: { underscored: true },
    dialectOptions: { application_name: 'the application' },
  })
  await sequelize.pin()
  const [row] = await sequelize.query<{ name: string }>(
    "SELECT current_setting('application_name') AS name",
    {
      type: QueryTypes.SELECT,
    },
  )
  sequelize.define('x', {})
  await sequelize.close()
  assert.is(row?.name, 'the application')
  assert.equal(logged, [])
})

test('a connection that is closed twice is closed', async () => {
  const sequelize = new PinnedSequelize(database.url)
  await sequelize.pin()
  await sequelize.close()
  await sequelize.close()
})

test.run()
