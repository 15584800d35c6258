/** Schemas made of models on one connection, compared and migrated without a tenancy around them: many in a second. */
import { Sequelize, type Options } from 'sequelize'

import {
  compareModels,
  generate,
  type Application,
  type Compared,
  type GenerateRequest,
  type Migrations,
  type Workplace,
} from '../../../lib/autogenerate/autogenerate.ts'
import { assess } from '../../../lib/autogenerate/hazards.ts'
import type { Assessed } from '../../../lib/autogenerate/operation.ts'
import { Copy } from '../../../lib/autogenerate/plan.ts'
import { withScratchSchema } from '../../../lib/autogenerate/scratch.ts'
import { makeShadow } from '../../../lib/autogenerate/shadow.ts'
import type { SelectRules } from '../../../lib/autogenerate/select.ts'
import { withTrials, type Trial } from '../../../lib/autogenerate/trial.ts'
import { TenantContext } from '../../../lib/context.ts'
import { withSession, type MigrationSession } from '../../../lib/migrations/session.ts'
import type { MigrationFormat, NewFile } from '../../../lib/migrations/template.ts'
import { bindSearchPath } from '../../../lib/search-path.ts'
import type { TestDatabase } from '../../support/database.ts'
import type { Suite } from '../../support/suite.ts'
import type { Beside, Define } from './case.ts'

export const EVERYTHING: SelectRules = {
  include: [],
  exclude: [],
  ignore: [],
  operation: undefined,
  accepted: new Set(),
}

const REQUEST: GenerateRequest = {
  message: 'a change',
  renames: false,
  decide: undefined,
  failOn: [],
  destructive: true,
  online: false,
}

export interface Workbench {
  readonly session: MigrationSession
  readonly place: Workplace
  /** Makes a schema of these models, and of what is said beside them, and keeps it. */
  make(define: Define, more?: Beside): Promise<string>
  drop(...schemas: readonly string[]): Promise<void>
  compare(define: Define, schema: string, rules?: SelectRules): Promise<Compared>
  /** The files of the migration from `compared`, tried out on a copy. */
  generate(
    compared: Compared,
    request?: Partial<GenerateRequest>,
    format?: MigrationFormat,
  ): Promise<readonly NewFile[]>
  /** The operations of the same, there and back, with what may go wrong. */
  way(compared: Compared): Promise<{ readonly up: readonly Assessed[]; readonly down: readonly Assessed[] }>
  /** Loads `files` while `fn` runs; each side that it calls is run in `schema`, for good: in a transaction unless they say that they want none. */
  loading<T>(schema: string, files: readonly NewFile[], fn: (sides: Trial) => Promise<T>): Promise<T>
  /** The migrations from `compared` in the online form, tried out on a copy, and what is said of them. */
  generateOnline(
    compared: Compared,
    request?: Partial<GenerateRequest>,
    format?: MigrationFormat,
  ): Promise<{ readonly migrations: Migrations; readonly assessed: readonly Assessed[] }>
  /** Runs one side of `files` in `schema`, for good: in a transaction unless they say that they want none. */
  run(schema: string, files: readonly NewFile[], side: 'up' | 'down'): Promise<void>
  /** One transaction, in which bare names mean those of `schema`. */
  within<T>(schema: string, fn: () => Promise<T>): Promise<T>
}

export interface WorkbenchOptions {
  /** Schemas after the own one, in order. */
  readonly searchPath?: readonly string[]
}

/** Opens a workbench on first use, and closes it after the suite. */
export function workbench(
  test: Suite,
  database: TestDatabase,
  { searchPath = [] }: WorkbenchOptions = {},
): () => Promise<Workbench> {
  let opened: Promise<Workbench> | undefined
  let close: (() => void) | undefined
  let closed: Promise<void> | undefined
  test.after(async () => {
    close?.()
    await closed
  })
  const open = () =>
    new Promise<Workbench>((resolve, reject) => {
      const options = { connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0 }
      closed = withSession(options, async (session) => {
        resolve(benchOn(session, database.url, searchPath))
        await new Promise<void>((done) => (close = done))
      })
      closed.catch(reject)
    })
  return () => (opened ??= open())
}

let count = 0

function benchOn(session: MigrationSession, url: string, searchPath: readonly string[]): Workbench {
  const open: Workplace['open'] = (fn) => fn(session)
  const place: Workplace = {
    open,
    openScratch: open,
    searchPath,
    lockTimeoutMs: 1000,
    versionTable: 'SequelizeMeta',
  }
  const inSchema = <T>(schema: string, fn: () => Promise<T>, alone = false) =>
    session.within({ tenant: undefined, schema, searchPath }, () => (alone ? fn() : session.transaction(fn)))
  const loading: Workbench['loading'] = (schema, files, fn) =>
    withTrials(session, schema, [files], ([trial]) => {
      if (trial === undefined) throw new TypeError('there are no files')
      const alone = isOutside(files)
      return fn({
        up: () => inSchema(schema, trial.up, alone),
        down: () => inSchema(schema, trial.down, alone),
      })
    })
  return {
    session,
    place,
    async make(define, { sql, migrate } = {}) {
      count++
      const schema = `made${count}`
      await inSchema(schema, async () => {
        await session.query(`CREATE SCHEMA ${schema}`)
        const options = {
          ...applicationOf(url, define),
          foundations: [],
          isExcluded: () => false,
          lockTimeoutMs: 0,
        }
        const [problem] = await makeShadow(session, schema, options)
        if (problem !== undefined) throw new Error(`model ${problem.model}: ${problem.message}`)
        if (sql !== undefined) await session.query(sql)
        await migrate?.(session.sequelize.getQueryInterface())
      })
      return schema
    },
    async drop(...schemas) {
      await session.query(`DROP SCHEMA ${schemas.join(', ')} CASCADE`)
    },
    compare: (define, schema, rules = EVERYTHING) =>
      compareModels(place, applicationOf(url, define), schema, rules),
    generate: (compared, request = {}, format = 'mjs') =>
      generate(place, compared, { ...REQUEST, ...request }, async ({ render }, verify) => {
        const names = ['1_change', '2_change']
        await verify(render(names, format, 'try'))
        return render(names, format, 'try').flat()
      }),
    way: (compared) =>
      withScratchSchema(session, { purpose: 'copy', searchPath }, async (schema) => {
        const copy = await Copy.make(session, schema, compared, {})
        const [stage] = await copy.findWay([], { online: false })
        const { up = [], down = [] } = stage ?? {}
        return { up: assess(up), down: assess(down) }
      }),
    generateOnline: (compared, request = {}, format = 'mjs') =>
      generate(
        place,
        compared,
        { ...REQUEST, ...request, online: true },
        async ({ assessed, parts, render }, verify) => {
          const names = parts.map((_part, index) => `${index + 1}_change`)
          await verify(render(names, format, 'try'))
          return { assessed, migrations: render(names, format, 'write') }
        },
      ),
    loading,
    async run(schema, files, side) {
      // Where nothing differs there is nothing to run.
      if (files.length > 0) await loading(schema, files, (sides) => sides[side]())
    },
    within: inSchema,
  }
}

function isOutside([file]: readonly NewFile[]): boolean {
  return /\btransaction\s*[:=]\s*false\b/.test(file?.text ?? '')
}

/** One for all: each is carried along by every promise of the process. */
const context = new TenantContext({ searchPath: [], onMissing: 'error' })

/** The models on a Sequelize that never connects: all it is asked goes to the session. */
function applicationOf(url: string, define: Define): Application {
  const options: Options = { dialect: 'postgres', logging: false }
  const sequelize = new Sequelize(url, options)
  bindSearchPath(sequelize, context)
  define(sequelize)
  return { sequelize, context }
}
