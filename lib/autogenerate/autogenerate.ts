/**
 * Compares an application's models with a specimen schema, and makes a migration of the differences: shadow, copy,
 * operations, text, trial. Everything it makes in a database is rolled back; a file is written only when the trial has
 * led to the models and back.
 */
import type { Sequelize } from 'sequelize'

import type { TenantContext } from '../context.ts'
import { TenancyError } from '../errors.ts'
import type { MigrationSession } from '../migrations/session.ts'
import type { MigrationFormat, NewFile } from '../migrations/template.ts'
import { compare } from './compare.ts'
import { readFoundations } from './copy.ts'
import { explainingRefusals, readEventTriggers, type EventTrigger } from './event-triggers.ts'
import { assess, type HazardFacts } from './hazards.ts'
import { decideRenames, type Decide } from './decide.ts'
import { renamesOf, type RenameHints } from './hints.ts'
import { modelsOf, type ModelProblem } from './models.ts'
import type { Assessed, HazardKind, Operation } from './operation.ts'
import { partitionsOf } from './partitions.ts'
import { Copy, type Sides, type Stage } from './plan.ts'
import { readSnapshot, VERSION_TABLES } from './read.ts'
import { candidates } from './renames.ts'
import { renderMigration } from './render.ts'
import { withScratchSchema } from './scratch.ts'
import { acceptanceOf, selectBy, withoutOrphans, type SelectRules } from './select.ts'
import { makeShadow } from './shadow.ts'

/** Opens a session for the time of a function. */
export type OpenSession = <T>(fn: (session: MigrationSession) => Promise<T>) => Promise<T>

/** Where the comparison is made. */
export interface Workplace {
  /** To the database of the specimen. */
  readonly open: OpenSession
  /** To the database in which scratch schemas are made: the same, or another one that has the shared schemas. */
  readonly openScratch: OpenSession
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  readonly lockTimeoutMs: number
  /** Name of the table in which a schema records its migrations. */
  readonly versionTable: string
}

/** The models, on a Sequelize whose query interface is bound to `context`. */
export interface Application {
  readonly sequelize: Sequelize
  readonly context: TenantContext
}

export interface Compared extends Sides {
  /** Models that could not be made; their tables are compared with nothing. */
  readonly problems: readonly ModelProblem[]
  readonly differences: readonly Operation[]
  /** Event triggers that fire where scratch schemas are made. */
  readonly eventTriggers: readonly EventTrigger[]
}

/**
 * The models and the schema `specimen`, and what they differ in.
 *
 * @throws {@link TenancyError} CONFIG_INVALID if there are no models; PRIVILEGE_MISSING or SCRATCH_REFUSED if no scratch
 * schema may be made.
 */
export async function compareModels(
  place: Workplace,
  application: Application,
  specimen: string,
  rules: SelectRules,
): Promise<Compared> {
  assertModels(application.sequelize)
  const reading = readingOf(place)
  const { snapshot, foundations } = await place.open(async (session) => ({
    snapshot: await readSnapshot(session, specimen, reading),
    foundations: await readFoundations(session, specimen),
  }))
  const views = new Set(snapshot.others.filter(({ kind }) => kind.endsWith('view')).map(({ name }) => name))
  const shadow = await place.openScratch(async (session) => {
    const eventTriggers = await readEventTriggers(session)
    const { lockTimeoutMs } = place
    // A model on a view is no table.
    const isExcluded = (table: string) => views.has(table)
    const options = { ...application, foundations, isExcluded, lockTimeoutMs, eventTriggers }
    const made = await explainingRefusals(eventTriggers, () =>
      withScratchSchema(session, scratch(place, 'shadow'), async (schema) => {
        const problems = await makeShadow(session, schema, options)
        return { problems, models: await readSnapshot(session, schema, reading) }
      }),
    )
    return { ...made, eventTriggers }
  })
  const ofTenants = modelsOf(application.sequelize).filter(({ schema }) => schema === undefined)
  const defined = new Set(ofTenants.map(({ table }) => table))
  const partitions = [snapshot, shadow.models].flatMap(partitionsOf).filter((name) => !defined.has(name))
  const select = selectBy(rules, new Set([...shadow.problems.map(({ table }) => table), ...partitions]))
  const models = select.snapshot(shadow.models)
  const differences = select.operations(compare(select.snapshot(snapshot), models))
  const { problems, eventTriggers } = shadow
  return { specimen: snapshot, foundations, models, select, problems, differences, eventTriggers }
}

export interface GenerateRequest {
  readonly message: string
  /** `false`: nothing was renamed. */
  readonly renames: RenameHints | false | undefined
  /** Is asked about each pair that looks like a rename and that no hint names. */
  readonly decide: Decide | undefined
  /** Kinds of hazards that are refused. */
  readonly failOn: readonly HazardKind[]
  /** `false` leaves out what loses rows or values. */
  readonly destructive: boolean
  /** Whether what would keep others waiting is done outside a transaction, in a migration of its own. */
  readonly online: boolean
}

export interface Generated {
  readonly assessed: readonly Assessed[]
  readonly leftOut: readonly Operation[]
  /** What stands behind the name of each migration, in the order in which they run: one, or two if some of it is done online. */
  readonly parts: readonly string[]
  /**
   * The files of the migrations called `names`. Those to try out have no CONCURRENTLY, which no transaction may have;
   * all else is the same.
   */
  readonly render: (names: readonly string[], format: MigrationFormat, use: 'write' | 'try') => Migrations
}

/** The files of migrations that run one after another, of each the `up` side first. */
export type Migrations = readonly (readonly NewFile[])[]

/**
 * Finds the way from the specimen to the models and back, and gives it to `write`, which renders it, has it tried out
 * by `verify`, and puts it where it belongs.
 *
 * @throws {@link TenancyError} USAGE for a hint that cannot be used; RENAME_UNDECIDED; HAZARD_REFUSED;
 * VERIFICATION_FAILED; SCRATCH_REFUSED.
 */
export async function generate<T>(
  place: Workplace,
  compared: Compared,
  { message, renames, decide, failOn, destructive, online }: GenerateRequest,
  write: (generated: Generated, verify: (migrations: Migrations) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { select, specimen, models } = compared
  const visible = select.snapshot(specimen)
  const facts = { others: specimen.others }
  const hints = renames === false ? {} : (renames ?? {})
  const inCopy = (session: MigrationSession, fn: (schema: string) => Promise<T>) =>
    explainingRefusals(compared.eventTriggers, () => withScratchSchema(session, scratch(place, 'copy'), fn))
  return place.openScratch((session) =>
    inCopy(session, async (schema) => {
      const copy = await Copy.make(session, schema, compared, readingOf(place))
      const decided = await decideRenames(hints, {
        look: async (known) => candidates(await copy.renamed(renamesOf(known, visible, models)), models),
        decide: renames === false ? () => Promise.resolve(false) : decide,
      })
      const leftOut: Operation[] = []
      const filter = destructive ? undefined : withoutLoss(leftOut)
      const way = { filter, online }
      const stages = await copy.findWay(renamesOf(decided, visible, models), way)
      const sides = { up: assessSide(stages, 'up', facts), down: assessSide(stages, 'down', facts) }
      const texts = stages.map(({ transaction }, index) => ({
        message,
        up: sides.up[index] ?? [],
        down: sides.down[index] ?? [],
        transaction,
      }))
      const assessed = sides.up.flat()
      assertNoneRefused(assessed, failOn)
      const render: Generated['render'] = (names, format, use) =>
        texts.map((text, index) =>
          renderMigration(names[index] ?? '', format, { ...text, concurrently: use === 'write' }),
        )
      const parts = stages.map((_stage, index) => (index === 0 ? '' : 'online'))
      return write({ assessed, leftOut, parts, render }, (migrations) => copy.verify(migrations, filter))
    }),
  )
}

/** The hazards of each stage, told from the whole way: a table that is new in one has no rows in the next. */
function assessSide(
  stages: readonly Stage[],
  side: 'up' | 'down',
  facts: HazardFacts,
): readonly (readonly Assessed[])[] {
  const outside = stages.flatMap((stage) => (stage.transaction ? [] : stage[side]))
  const operations = stages.flatMap((stage) => stage[side])
  const assessed = assess(operations, { ...facts, outside: new Set(outside) })
  return stages.map((stage) => assessed.filter(({ operation }) => stage[side].includes(operation)))
}

/** Takes out what loses rows or values, and notes it. */
function withoutLoss(leftOut: Operation[]) {
  return (operations: readonly Operation[]): readonly Operation[] => {
    const loses = assess(operations).filter(({ hazards }) => hazards.some(({ kind }) => kind === 'data-loss'))
    const lost = loses.map(({ operation }) => operation)
    for (const operation of lost) {
      if (!leftOut.some((each) => acceptanceOf(each) === acceptanceOf(operation))) leftOut.push(operation)
    }
    return withoutOrphans(
      operations,
      operations.filter((operation) => !lost.includes(operation)),
    )
  }
}

function scratch({ searchPath }: Workplace, purpose: string) {
  return { purpose, searchPath }
}

function readingOf({ versionTable }: Workplace) {
  return { exclude: [...VERSION_TABLES, versionTable] }
}

function assertModels(sequelize: Sequelize): void {
  const models = modelsOf(sequelize)
  if (models.some(({ schema }) => schema === undefined)) return
  const [title, fix] =
    models.length === 0
      ? [
          'No models are defined on this Sequelize.',
          "name the module that defines them: models: './models.ts'",
        ]
      : ['All models have a schema of their own.', 'define the models of tenants without the option schema']
  throw new TenancyError('CONFIG_INVALID', title, {
    fix: [fix, 'or give the application’s own Sequelize as sequelize'],
  })
}

function assertNoneRefused(operations: readonly Assessed[], failOn: readonly HazardKind[]): void {
  const refused = operations.flatMap(({ hazards }) => hazards.filter(({ kind }) => failOn.includes(kind)))
  if (refused.length === 0) return
  throw new TenancyError('HAZARD_REFUSED', 'The migration would bring a hazard that is refused.', {
    detail: refused.map(({ kind, message }) => `${kind}: ${message}`).join('; '),
    fix: [
      'change the models so that it is not needed, or do it in steps',
      `or accept it: leave out ${[...new Set(refused.map(({ kind }) => `--fail-on ${kind}`))].join(' ')}`,
    ],
  })
}
