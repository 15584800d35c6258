/**
 * The shadow: an empty schema in which the application's models make their tables, as `sync` would in a fresh
 * database, so that what PostgreSQL makes of them can be read back.
 */
import type { Sequelize } from 'sequelize'

import type { TenantContext } from '../context.ts'
import type { MigrationSession } from '../migrations/session.ts'
import { layFoundations, runAsOne, type Foundations } from './copy.ts'
import { refusalText, refusedBy, type EventTrigger } from './event-triggers.ts'
import { foreignKeysOf } from './foreign-keys.ts'
import { failureOf, lending, type Loan } from './lending.ts'
import { enumCollisions, modelsOf, type KnownModel, type ModelProblem } from './models.ts'
import { isPlain, syncModel } from './sync.ts'

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
  /** One that refuses a table is named. */
  readonly eventTriggers?: readonly EventTrigger[]
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
  { sequelize, context, isExcluded, foundations, lockTimeoutMs, eventTriggers = [] }: ShadowOptions,
): Promise<readonly ModelProblem[]> {
  const all = modelsOf(sequelize)
  const models = all.filter((model) => model.schema === undefined && !isExcluded(model.table))
  const collisions = enumCollisions(models)
  const broken = new Map(collisions.map((problem) => [problem.table, problem]))
  const tenant = { id: schema, schema }
  await layFoundations(session, foundations)

  const triggers = eventTriggers
  await lending(sequelize, session, (loan) =>
    context.run(tenant, async () => {
      const hooks = sequelize as unknown as Hooks // not typed upstream
      await loan.attempt(() => hooks.runHooks('beforeBulkSync', { logging: false }))
      const left = models.filter(({ table }) => !broken.has(table))
      for (const each of await withoutPlain(left, { loan, session, sequelize })) {
        const failure = await loan.attempt((transaction) => syncModel(each, transaction))
        if (failure !== undefined) broken.set(each.table, problemOf(each, failure, triggers))
      }
      await loan.attempt(() => hooks.runHooks('afterBulkSync', { logging: false }))
    }),
  )

  const made = models.filter(({ table }) => !broken.has(table))
  await session.query(`SET LOCAL lock_timeout = ${lockTimeoutMs > 0 ? lockTimeoutMs : LOCK_TIMEOUT_MS}`)
  const keys = foreignKeysOf(schema, made, all, sequelize)
  if (
    await isDone(
      session,
      keys.map(({ text }) => text),
    )
  )
    return [...broken.values()]
  for (const { known, text } of keys) {
    const failure = await failureOf(() => session.undoable(() => session.query(text)))
    if (failure !== undefined) broken.set(known.table, problemOf(known, failure, triggers))
  }
  return [...broken.values()]
}

interface Workshop {
  readonly loan: Loan
  readonly session: MigrationSession
  readonly sequelize: Sequelize
}

/**
 * Makes all the tables of the models that only need what Sequelize itself says, in one message; the answer is the models
 * that are left, in their order: all of them, if one of these fails.
 */
async function withoutPlain(
  models: readonly KnownModel[],
  { loan, session, sequelize }: Workshop,
): Promise<readonly KnownModel[]> {
  const plain = models.filter((each) => isPlain(each, models, sequelize))
  const texts: string[] = []
  const failure = await failureOf(async () => {
    for (const each of plain) texts.push(...(await loan.collect(() => syncModel(each))))
  })
  if (failure !== undefined || !(await isDone(session, texts))) return models
  return models.filter((each) => !plain.includes(each))
}

/** Whether all of `texts` could be run, as one; if not, none of it stays. */
async function isDone(session: MigrationSession, texts: readonly string[]): Promise<boolean> {
  if (texts.length === 0) return true
  return (await failureOf(() => session.undoable(() => runAsOne(session, texts)))) === undefined
}

interface Hooks {
  runHooks(name: string, options: object): Promise<void>
}

function problemOf(
  { name, table }: KnownModel,
  failure: Error,
  triggers: readonly EventTrigger[],
): ModelProblem {
  const trigger = refusedBy(failure, triggers)
  const { message } = failure
  return {
    model: name,
    table,
    message: trigger === undefined ? message : `${message}; ${refusalText(trigger)}`,
  }
}
