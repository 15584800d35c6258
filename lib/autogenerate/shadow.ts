/**
 * The shadow: an empty schema in which the application's models make their tables, as `sync` would in a fresh
 * database, so that what PostgreSQL makes of them can be read back.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

import type { Sequelize, Transaction } from 'sequelize'

import type { TenantContext } from '../context.ts'
import { messageOf } from '../errors.ts'
import type { MigrationSession } from '../migrations/session.ts'
import { qualify, quoteIdentifier } from '../sql.ts'
import { layFoundations, type Foundations } from './copy.ts'
import { enumCollisions, modelsOf, type Attribute, type KnownModel, type ModelProblem } from './models.ts'

export interface ShadowOptions {
  /** Whose models: the application's Sequelize, its query interface bound to `context`. */
  readonly sequelize: Sequelize
  readonly context: TenantContext
  /** Models of tables that are left out. */
  readonly isExcluded: (table: string) => boolean
  /** What defaults and checks may call: made before the tables. */
  readonly foundations: Foundations
  /** Milliseconds a foreign key into a shared table waits for its lock. */
  readonly lockTimeoutMs: number
}

/** A wait that no option limits must still not stand in the way of whoever writes to a shared table. */
const LOCK_TIMEOUT_MS = 3000

/**
 * Makes the tables of the tenants' models in `schema`, inside the session's open transaction. What cannot be made is
 * in the answer, and the rest goes on.
 */
export async function makeShadow(
  session: MigrationSession,
  schema: string,
  { sequelize, context, isExcluded, foundations, lockTimeoutMs }: ShadowOptions,
): Promise<readonly ModelProblem[]> {
  const all = modelsOf(sequelize)
  const models = all.filter((model) => model.schema === undefined && !isExcluded(model.table))
  const collisions = enumCollisions(models)
  const broken = new Map(collisions.map((problem) => [problem.table, problem]))
  const tenant = { id: schema, schema }
  await layFoundations(session, foundations)

  await lending(sequelize, session, (attempt) =>
    context.run(tenant, async () => {
      const hooks = sequelize as unknown as Hooks // not typed upstream
      await attempt(() => hooks.runHooks('beforeBulkSync', { logging: false }))
      for (const known of models) {
        if (broken.has(known.table)) continue
        const failure = await attempt((transaction) => makeTable(known, transaction))
        if (failure !== undefined) broken.set(known.table, problemOf(known, failure))
      }
      await attempt(() => hooks.runHooks('afterBulkSync', { logging: false }))
    }),
  )

  const made = models.filter(({ table }) => !broken.has(table))
  await session.query(`SET LOCAL lock_timeout = ${lockTimeoutMs > 0 ? lockTimeoutMs : LOCK_TIMEOUT_MS}`)
  for (const known of firstOfEachTable(made)) {
    for (const text of foreignKeysOf(known, schema, made, all, sequelize)) {
      const failure = await failureOf(() => session.undoable(() => session.query(text)))
      if (failure !== undefined) broken.set(known.table, problemOf(known, failure))
    }
  }
  return [...broken.values()]
}

interface Hooks {
  runHooks(name: string, options: object): Promise<void>
}

function problemOf({ name, table }: KnownModel, failure: Error): ModelProblem {
  return { model: name, table, message: failure.message }
}

async function failureOf(fn: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await fn()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error))
  }
}

/** Runs something in a savepoint; the answer is why it failed. */
type Attempt = (fn: (transaction: Transaction) => Promise<unknown>) => Promise<Error | undefined>

/** One for all: each that was ever used is carried along by every promise of the process from then on. */
const borrowed = new AsyncLocalStorage<Transaction>()

/**
 * Lends the session's connection to the application's Sequelize: while `fn` runs, every query that it causes goes
 * there, also that of a hook which says nothing of a transaction. What others ask meanwhile goes where it always goes.
 */
async function lending<T>(
  sequelize: Sequelize,
  session: MigrationSession,
  fn: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const query = Reflect.get(sequelize, 'query') as Query // its overloads, in one
  const lent: Query = function (this: unknown, sql, options) {
    const transaction = borrowed.getStore()
    if (transaction === undefined) return query.call(this, sql, options)
    return query.call(this, sql, { ...options, transaction, logging: false })
  }
  const isOwn = Object.hasOwn(sequelize, 'query')
  Object.assign(sequelize, { query: lent })
  try {
    return await fn((body) =>
      failureOf(() =>
        session.sequelize.transaction((transaction) => borrowed.run(transaction, () => body(transaction))),
      ),
    )
  } finally {
    if (isOwn) Object.assign(sequelize, { query })
    else Reflect.deleteProperty(sequelize, 'query')
  }
}

type Query = (this: unknown, sql: unknown, options?: object) => Promise<unknown>

async function makeTable(known: KnownModel, transaction: Transaction): Promise<void> {
  // A subclass, so that nothing of the application's own model changes.
  const Copy = class extends known.model {}
  Object.defineProperties(Copy, {
    name: { value: known.name },
    tableAttributes: { value: withoutNullDefaults(known.attributes) },
    // A transaction is no place for it, and an empty table needs none.
    _indexes: { value: known.indexes.map((index) => ({ ...index, concurrently: false })) },
  })
  const options = { transaction, logging: false as const, withoutForeignKeyConstraints: true }
  await Copy.sync(options)
}

/** PostgreSQL refuses SERIAL DEFAULT NULL. */
function withoutNullDefaults(attributes: Readonly<Record<string, Attribute>>): Record<string, Attribute> {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, attribute]) => {
      if (attribute.autoIncrement !== true || attribute.defaultValue !== null) return [key, attribute]
      const { defaultValue: _, ...rest } = attribute
      return [key, rest]
    }),
  )
}

/** `sync` makes a table, and its foreign keys, for the first model that has it. */
function firstOfEachTable(models: readonly KnownModel[]): readonly KnownModel[] {
  return models.filter(({ table }, index) => models.findIndex((other) => other.table === table) === index)
}

/** As `sync` writes them behind a column, but apart and last: then no order of the tables is needed. */
function foreignKeysOf(
  { table, attributes }: KnownModel,
  schema: string,
  made: readonly KnownModel[],
  all: readonly KnownModel[],
  sequelize: Sequelize,
): readonly string[] {
  return Object.entries(attributes).flatMap(([key, { field = key, references, onDelete, onUpdate }]) => {
    if (references?.model === undefined) return []
    const target = typeof references.model === 'string' ? { tableName: references.model } : references.model
    const { queryGenerator } = sequelize.getQueryInterface() as unknown as { queryGenerator: unknown } // not typed upstream
    const words = [
      `ALTER TABLE ${qualify(schema, table)} ADD FOREIGN KEY (${quoteIdentifier(field)})`,
      `REFERENCES ${targetText(target, schema, made, all)} (${quoteIdentifier(references.key ?? 'id')})`,
      ...(onDelete ? [`ON DELETE ${action(onDelete)}`] : []),
      ...(onUpdate ? [`ON UPDATE ${action(onUpdate)}`] : []),
      ...(references.deferrable ? [references.deferrable.toString(queryGenerator)] : []),
    ]
    return [words.join(' ')]
  })
}

/** Sequelize passes on whatever it is given. */
function action(text: string): string {
  const words = text.toUpperCase().trim()
  if (/^[A-Z]+(?: [A-Z]+)?$/.test(words)) return words
  throw new RangeError(`"${text}" is no action of a foreign key`)
}

/** A bare name means the tenant's table, else that of a model with a schema, else what the search path finds. */
function targetText(
  { tableName, schema: named }: { readonly tableName: string; readonly schema?: string },
  schema: string,
  made: readonly KnownModel[],
  all: readonly KnownModel[],
): string {
  if (named !== undefined && named !== '') return qualify(named, tableName)
  if (made.some(({ table }) => table === tableName)) return qualify(schema, tableName)
  const shared = all.find((model) => model.table === tableName && model.schema !== undefined)?.schema
  return shared === undefined ? quoteIdentifier(tableName) : qualify(shared, tableName)
}
