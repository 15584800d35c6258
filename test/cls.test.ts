/** Applications with Sequelize's CLS: their own namespace or the library's, set up before the tenancy or after it. */
import { createNamespace, destroyNamespace } from 'cls-hooked'
import { DataTypes, QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { TenantContext, type Namespace } from '../lib/context.ts'
import { bindSearchPath } from '../lib/search-path.ts'
import { createTenancy } from '../lib/tenancy.ts'
import type { Tenant } from '../lib/tenant.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'

const a: Tenant = { id: 'a', schema: 'a' }
const b: Tenant = { id: 'b', schema: 'b' }

/** Where Sequelize keeps what `useCLS` was given: there is no other way to look, or to take it back. */
const cls = Sequelize as unknown as { _cls: Namespace | undefined }

const test = suite('cls')
const database = testDatabase(test)
let names = 0
const cleanUp: (() => unknown)[] = []

test.before(async () => {
  for (const schema of ['a', 'b', 'shared']) {
    await database.query(`CREATE SCHEMA ${schema}`)
    await database.query(
      `CREATE TABLE ${schema}.users AS SELECT i AS id, '${schema}' AS owner FROM generate_series(1, 3) AS i`,
    )
  }
})

test.after.each(async () => {
  cls._cls = undefined
  for (const clean of cleanUp.splice(0).toReversed()) await clean()
})

function clsHooked(): Namespace {
  const name = `cls test ${names++}`
  const namespace = createNamespace(name)
  namespace.run(() => undefined) // one that never had a context cannot be destroyed
  cleanUp.push(() => destroyNamespace(name))
  return namespace
}

function bound(context: TenantContext) {
  const sequelize = new Sequelize(database.url, { logging: false, pool: { max: 3 } })
  bindSearchPath(sequelize, context)
  cleanUp.push(() => sequelize.close())
  const User = sequelize.define(
    'User',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, owner: DataTypes.TEXT },
    { tableName: 'users', timestamps: false },
  )
  return { sequelize, User, owner: async () => (await User.findByPk(1))?.get('owner') }
}

const contextWith = (namespace?: Namespace) =>
  new TenantContext({ searchPath: ['shared'], onMissing: 'error', namespace })

for (const what of ['before', 'after'] as const) {
  for (const kind of [
    'cls-hooked',
    'a namespace of the application that the tenancy is not told of',
    'AsyncLocalStorage',
  ] as const) {
    test(`with useCLS called ${what} the tenancy is made, a transaction is inherited within its tenant (${kind})`, async () => {
      const context = contextWith(kind === 'cls-hooked' ? clsHooked() : undefined)
      const namespace =
        kind === 'a namespace of the application that the tenancy is not told of'
          ? clsHooked()
          : context.namespace()
      if (what === 'before') Sequelize.useCLS(namespace)
      const { sequelize, User, owner } = bound(context)
      if (what === 'after') Sequelize.useCLS(namespace)
      await context
        .run(a, () =>
          sequelize.transaction(async () => {
            await User.update({ owner: 'changed' }, { where: { id: 1 } })
            assert.is(await owner(), 'changed')
            throw new Error('roll back')
          }),
        )
        .catch((error: unknown) => assert.match(String(error), 'roll back'))
      assert.is(await context.run(a, owner), 'a')
      assert.is(cls._cls, namespace)
    })
  }
}

test('a namespace that the tenancy is not told of never carries a transaction into another tenant unnoticed', async () => {
  const context = contextWith()
  Sequelize.useCLS(clsHooked())
  const { sequelize, owner } = bound(context)
  await context.run(a, () =>
    sequelize.transaction(async () => {
      const error = await context.run(b, () => failure('CROSS_TENANT_TRANSACTION', owner))
      assert.match(error.message, 'was used in the scope of tenant "b"')
      assert.is(await owner(), 'a')
    }),
  )
})

for (const kind of ['cls-hooked', 'AsyncLocalStorage'] as const) {
  test(`a hook of a model runs in the transaction and tenant of its call (${kind})`, async () => {
    const context = contextWith(kind === 'cls-hooked' ? clsHooked() : undefined)
    Sequelize.useCLS(context.namespace())
    const { sequelize, User } = bound(context)
    const seen: unknown[] = []
    User.addHook('beforeUpdate', async (_user, options) => {
      seen.push((await User.findByPk(2))?.get('owner'), context.current()?.id)
      await context.run(b, async () => {
        seen.push((await User.findByPk(2))?.get('owner'))
        const { transaction } = options
        await failure('CROSS_TENANT_TRANSACTION', () =>
          User.findByPk(2, { transaction: transaction ?? null }),
        )
      })
    })
    await context.run(a, () =>
      sequelize.transaction(async () => (await User.findByPk(3))?.update({ owner: 'hooked' })),
    )
    assert.equal(seen, ['a', 'a', 'b'])
    assert.equal(await database.query('SELECT owner FROM a.users WHERE id = 3'), [{ owner: 'hooked' }])
    await database.query("UPDATE a.users SET owner = 'a'")
  })

  test(`an unmanaged transaction of one tenant is refused in another, and may still be ended there (${kind})`, async () => {
    const context = contextWith(kind === 'cls-hooked' ? clsHooked() : undefined)
    Sequelize.useCLS(context.namespace())
    const { sequelize, User } = bound(context)
    const transaction = await context.run(a, () => sequelize.transaction())
    await context.run(b, async () => {
      for (const use of [
        () => User.findByPk(1, { transaction }),
        () => User.create({ id: 9, owner: 'x' }, { transaction }),
        () => User.update({ owner: 'x' }, { where: { id: 1 }, transaction }),
        () => sequelize.query('SELECT 1', { transaction }),
        () => sequelize.query('SELECT $1::int', { bind: [1], transaction }),
        () => sequelize.query('VACUUM users', { transaction }),
        () => sequelize.query('SAVEPOINT s; SELECT 1', { transaction }),
      ]) {
        const error = await failure('CROSS_TENANT_TRANSACTION', use)
        assert.match(
          error.message,
          'A transaction on "a", "shared", pg_temp was used in the scope of tenant "b"',
        )
        assert.match(error.message, 'begin a transaction of its own inside tenancy.run')
      }
    })
    await context.runShared(() =>
      failure('CROSS_TENANT_TRANSACTION', () => User.findByPk(1, { transaction })),
    )
    await context.run(b, () => transaction.rollback())
  })
}

test('the library never calls useCLS', async () => {
  const original = Object.getOwnPropertyDescriptor(Sequelize, 'useCLS') ?? {}
  let calls = 0
  Object.assign(Sequelize, { useCLS: () => calls++ })
  try {
    const tenancy = createTenancy({ url: database.url })
    tenancy.namespace()
    await tenancy.provision({ id: 'c', up: false })
    await tenancy.run('c', () => tenancy.current())
    await tenancy.up({ tenant: 'c' })
    await tenancy.close()
    bound(contextWith(clsHooked()))
  } finally {
    Object.defineProperty(Sequelize, 'useCLS', original)
  }
  assert.is(calls, 0)
  assert.is(cls._cls, undefined)
})

test('an application without CLS passes its transactions by hand', async () => {
  const context = contextWith()
  const { sequelize } = bound(context)
  const rows = await context.run(b, () =>
    sequelize.transaction((transaction) =>
      sequelize.query('SELECT DISTINCT owner FROM users', { transaction, type: QueryTypes.SELECT }),
    ),
  )
  assert.equal(rows, [{ owner: 'b' }])
})

test.run()
