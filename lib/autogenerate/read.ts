/** A schema read into a snapshot. */
import type { SqlRunner } from '../sql.ts'
import { factsOf, type Fact } from './catalog.ts'
import type {
  Column,
  Constraint,
  ConstraintKind,
  Enum,
  Index,
  OtherObject,
  Sequence,
  Snapshot,
  Table,
} from './snapshot.ts'

export interface ReadOptions {
  /** Tables that are not the application's: where versions are recorded. */
  readonly exclude?: readonly string[]
  /**
   * Whether a table is read; an ENUM that only tables use which are not is left out with them.
   * @defaultValue all but those in `exclude` are
   */
  readonly isCompared?: (table: string) => boolean
}

/** Whether what belongs to `parent` is read: what belongs to no table always is. */
export function isRead(parent: string, { exclude = VERSION_TABLES, isCompared }: ReadOptions): boolean {
  return !exclude.includes(parent) && (parent === '' || isCompared === undefined || isCompared(parent))
}

/** The tables of the version storages, under their usual names. */
export const VERSION_TABLES: readonly string[] = ['SequelizeMeta', 'SequelizeData', 'alembic_version']

/**
 * Everything of `schema`. The runner must take a text of several statements, as a session and pg's client do.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING
 */
export async function readSnapshot(
  sql: SqlRunner,
  schema: string,
  options: ReadOptions = {},
): Promise<Snapshot> {
  const all = await factsOf(sql, schema)
  const isVisible = ({ parent }: Fact) => isRead(parent, options)
  const facts = new Facts(all.filter(isVisible))
  const left = enumsOnlyOf(new Facts(all.filter((fact) => !isVisible(fact))), facts)
  return {
    tables: facts
      .of<TableFact>('table')
      .map((table) => toTable(table, facts))
      .toSorted(byName),
    enums: facts
      .of<Enum>('enum')
      .filter(({ name }) => !left.has(name))
      .toSorted(byName),
    sequences: facts.of<Sequence>('sequence').toSorted(byName),
    others: OTHER_KINDS.flatMap((kind) =>
      facts
        .of<OtherFact>(kind)
        .map((other) => toOther(kind, other))
        .toSorted(byName),
    ),
  }
}

function toTable({ name, comment }: TableFact, facts: Facts): Table {
  return {
    name,
    comment,
    columns: facts.of<ColumnFact>('column', name).map(toColumn),
    constraints: facts.of<ConstraintFact>('constraint', name).map(toConstraint).toSorted(byName),
    indexes: facts.of<IndexFact>('index', name).map(toIndex).toSorted(byName),
    settings: facts.of<string>('setting', name).toSorted(),
  }
}

function toColumn({ sequence, identity, generated, expression, dependsOn, ...column }: ColumnFact): Column {
  return {
    ...column,
    serial: identity === '' ? sequence : null,
    identity: identity !== '' && sequence !== null ? { always: identity === 'a', sequence } : null,
    generated: expression === null ? null : { expression, stored: generated === 's' },
    dependsOn: dependsOn?.toSorted() ?? [],
  }
}

const NOT_VALID = ' NOT VALID'

function toConstraint({
  kind,
  definition,
  dependsOn,
  isValidated,
  ...constraint
}: ConstraintFact): Constraint {
  // One that is not enforced (PostgreSQL 18) is not validated either, and says so in its definition.
  const isValid = isValidated || !definition.endsWith(NOT_VALID)
  return {
    ...constraint,
    kind: CONSTRAINT_KINDS[kind],
    definition: isValid ? definition : definition.slice(0, -NOT_VALID.length),
    dependsOn: (dependsOn ?? constraint.columns).toSorted(),
    isValid,
  }
}

function toIndex(index: IndexFact): Index {
  const columns = index.columns.filter((column) => column !== null)
  return { ...index, dependsOn: (index.dependsOn ?? [...new Set(columns)]).toSorted() }
}

function toOther(kind: OtherObject['kind'], { name, definition, dependsOn }: OtherFact): OtherObject {
  const columns = dependsOn.flat(Infinity as 1) as (ColumnReference | null)[] // arrays in arrays, as deep as they were asked for
  return { kind, name, definition, dependsOn: columns.filter((column) => column !== null) }
}

/** Enums that columns of the tables left out have, and no other columns. */
function enumsOnlyOf(leftOut: Facts, facts: Facts): ReadonlySet<string | null> {
  const enumsOf = (some: Facts) => some.of<ColumnFact>('column').map((column) => column.enum)
  const used = new Set(enumsOf(facts))
  return new Set(enumsOf(leftOut).filter((name) => !used.has(name)))
}

/** What the catalogs have answered. */
class Facts {
  readonly #data = new Map<string, string[]>()

  constructor(rows: readonly Fact[]) {
    for (const { kind, parent, data } of rows) {
      for (const key of new Set([kind, `${kind} ${parent}`])) {
        const list = this.#data.get(key)
        if (list === undefined) this.#data.set(key, [data])
        else list.push(data)
      }
    }
  }

  /** Those of one kind, of all tables or of one. */
  of<T>(kind: string, parent?: string): T[] {
    const list = this.#data.get(parent === undefined ? kind : `${kind} ${parent}`) ?? []
    return list.map((data) => JSON.parse(data) as T) // the shape that the question gives its answer
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

const CONSTRAINT_KINDS = {
  p: 'primary key',
  u: 'unique',
  f: 'foreign key',
  c: 'check',
  x: 'exclude',
} as const satisfies Record<string, ConstraintKind>

const OTHER_KINDS: readonly OtherObject['kind'][] = [
  'view',
  'materialized view',
  'foreign table',
  'function',
  'trigger',
  'policy',
  'rule',
  'statistics',
  'domain',
  'type',
  'object',
]

// The shapes of the data, as lib/autogenerate/catalog-*.ts make them.

type TableFact = Pick<Table, 'name' | 'comment'>

interface ColumnFact extends Omit<Column, 'serial' | 'identity' | 'generated' | 'dependsOn'> {
  readonly sequence: Sequence | null
  readonly identity: '' | 'a' | 'd'
  readonly generated: '' | 's' | 'v'
  readonly expression: string | null
  readonly dependsOn: readonly string[] | null
}

interface ConstraintFact extends Omit<Constraint, 'kind' | 'isValid' | 'dependsOn'> {
  readonly kind: keyof typeof CONSTRAINT_KINDS
  readonly isValidated: boolean
  readonly dependsOn: readonly string[] | null
}

interface IndexFact extends Omit<Index, 'dependsOn'> {
  /** `null`: those it names. */
  readonly dependsOn: readonly string[] | null
}

type ColumnReference = OtherObject['dependsOn'][number]

interface OtherFact extends Pick<OtherObject, 'name' | 'definition'> {
  readonly dependsOn: readonly unknown[]
}
