/**
 * The rule unfiltered-catalog: the catalog shows every schema, so a read of it that does not say which finds other
 * tenants' objects. What ties a read to one schema is a condition on a schema's column, on an oid that was looked up
 * by the search path, or on visibility; a join of catalog tables to each other is none.
 */
import { FILLER, isForeign, type Complaint, type LintFacts } from './finding.ts'
import {
  column,
  constant,
  isFields,
  list,
  location,
  fieldsOf,
  text,
  walk,
  words,
  type Fields,
} from './sql-tree.ts'

/** Catalog tables that name objects of schemas → a condition that keeps to the tenant's. */
const CATALOG: Readonly<Record<string, string>> = {
  pg_class: 'relnamespace = current_schema()::regnamespace',
  pg_type: 'typnamespace = current_schema()::regnamespace',
  pg_constraint: 'connamespace = current_schema()::regnamespace',
  pg_proc: 'pronamespace = current_schema()::regnamespace',
  pg_collation: 'collnamespace = current_schema()::regnamespace',
  pg_index: "indrelid = 'the_table'::regclass",
  pg_attribute: "attrelid = 'the_table'::regclass",
  pg_attrdef: "adrelid = 'the_table'::regclass",
  pg_trigger: "tgrelid = 'the_table'::regclass",
  pg_policy: "polrelid = 'the_table'::regclass",
  pg_rewrite: "ev_class = 'the_view'::regclass",
  pg_enum: "enumtypid = 'the_type'::regtype",
  pg_sequence: "seqrelid = 'the_sequence'::regclass",
}

/** Views of the catalog with a column `schemaname`. */
const CATALOG_VIEW =
  /^pg_(?:tables|views|matviews|indexes|sequences|policies|rules|stats|stats_ext|(?:stat|statio)_(?:user|all)_(?:tables|indexes|sequences|functions))$/

/** The schema's column in views of information_schema whose objects are not tables; the others' is table_schema. */
const INFORMATION_SCHEMA: Readonly<Record<string, string>> = {
  routines: 'routine_schema', parameters: 'specific_schema', sequences: 'sequence_schema', domains: 'domain_schema',
  triggers: 'trigger_schema', referential_constraints: 'constraint_schema', check_constraints: 'constraint_schema',
  user_defined_types: 'user_defined_type_schema', element_types: 'object_schema', attributes: 'udt_schema',
  domain_constraints: 'domain_schema', triggered_update_columns: 'trigger_schema',
} // prettier-ignore

/** Views of information_schema that show no schema's objects, or the schemas themselves. */
const NO_OBJECTS =
  /^(?:schemata|information_schema_catalog_name|sql_\w+|applicable_roles|administrable_role_authorizations|enabled_roles|character_sets|foreign_(?:data_wrappers|servers)\w*|user_mapping\w*)$/

/** Columns of the catalog that say which schema. A variable of a function may end as they do, so they are listed. */
const SCHEMA_COLUMN =
  /^(?:schemaname|nspname|[a-z]{2,4}namespace|(?:unique_)?constraint_schema|(?:table|view|sequence|routine|specific|trigger|event_object|domain|udt|object|collation|user_defined_type|foreign_table)_schema)$/

/** Columns of the catalog that hold an object's oid: none has an underscore but these. */
const OID_COLUMN = /^(?:oid|ev_class|classid|objid|[a-z]+(?:relid|typid|classid|indid|objid|oid))$/

const NEGATIVE = new Set(['<>', '!=', '!~~', '!~~*', '!~', '!~*'])

/** What surrounds a SELECT. */
interface Around {
  readonly ctes: ReadonlyMap<string, unknown>
  /** Names of relations of the SELECTs around, and whether those are tied to a schema. */
  readonly aliases: ReadonlySet<string>
  readonly isTied: boolean
}

export interface CatalogComplaint extends Complaint {
  readonly offset: number | undefined
}

/** What is wrong with the reads of the catalog in `statement`. */
export function catalogComplaints(statement: unknown, facts: LintFacts): readonly CatalogComplaint[] {
  const found: CatalogComplaint[] = []
  // Most statements read no catalog, and a long INSERT is walked once only.
  visitSelects(statement, { ctes: new Map(), aliases: new Set(), isTied: false })
  return found

  function visitSelects(tree: unknown, around: Around): void {
    walk(tree, (tag, fields) => {
      if (tag !== 'SelectStmt') return
      visitSelect(fields, around)
      return false
    })
  }

  function visitSelect(select: Fields, around: Around): void {
    const ctes = new Map([...around.ctes, ...ctesOf(select)])
    const relations = relationsOf(select['fromClause'])
    const catalogs = relations
      .filter(({ name, isQualified }) => isQualified || !ctes.has(name))
      .filter(isCatalog)
    const own = new Set(relations.map(({ alias }) => alias))
    const others = new Set(
      relations.filter((each) => !isSystem(each) || ctes.has(each.name)).map(({ alias }) => alias),
    )
    const used = relations.flatMap(({ name, isQualified }) => (isQualified ? [] : [ctes.get(name)]))
    const conditions = [select['fromClause'], select['whereClause'], select['havingClause'], ...used]
    const isTied =
      relations.some(({ alias }) => alias.includes(FILLER)) || // perhaps a whole WHERE clause
      conditions.some((tree) => hasCondition(tree, others)) ||
      (around.isTied && mentions(select, around.aliases, own))
    const [first] = catalogs
    if (first !== undefined && !isTied) found.push(unfiltered(first))
    if (relations.some(isSystem))
      found.push(...otherSchemas([select['fromClause'], select['whereClause']], facts))
    const inner: Around = {
      ctes,
      aliases: new Set([...around.aliases, ...own]),
      isTied: isTied || around.isTied,
    }
    for (const value of Object.values(select)) {
      if (isFields(value) && 'limitOption' in value)
        visitSelect(value, { ...around, ctes }) // one arm of a UNION
      else visitSelects(value, inner)
    }
  }
}

interface Relation {
  readonly name: string
  /** What columns are qualified with. */
  readonly alias: string
  readonly schema: string | undefined
  readonly isQualified: boolean
  readonly offset: number | undefined
}

/** The relations of a FROM clause, without those of the SELECTs in it. */
function relationsOf(from: unknown): readonly Relation[] {
  const relations: Relation[] = []
  walk(from, (tag, fields) => {
    if (tag === 'SelectStmt') return false
    if (tag !== 'RangeVar' && tag !== 'RangeSubselect' && tag !== 'RangeFunction') return
    const name = text(fields['relname'])
    const alias = isFields(fields['alias']) ? text(fields['alias']['aliasname']) : name
    const schema = typeof fields['schemaname'] === 'string' ? fields['schemaname'] : undefined
    relations.push({ name, alias, schema, isQualified: schema !== undefined, offset: location(fields) })
  })
  return relations
}

function ctesOf(select: Fields): readonly (readonly [string, unknown])[] {
  const clause = isFields(select['withClause']) ? select['withClause'] : {}
  return list(clause['ctes']).flatMap((each) => {
    const cte = fieldsOf(each, 'CommonTableExpr')
    return cte === undefined ? [] : [[text(cte['ctename']), cte['ctequery']] as const]
  })
}

function isCatalog({ name, schema }: Relation): boolean {
  if (schema === 'information_schema') return !NO_OBJECTS.test(name)
  return (schema === undefined || schema === 'pg_catalog') && (name in CATALOG || CATALOG_VIEW.test(name))
}

/** Any relation of PostgreSQL's own: its columns are no application's. */
function isSystem({ name, schema }: Relation): boolean {
  return (
    schema === 'information_schema' ||
    schema === 'pg_catalog' ||
    (schema === undefined && name.startsWith('pg_'))
  )
}

function unfiltered({ name, schema, offset }: Relation): CatalogComplaint {
  const shown = schema === 'information_schema' ? `${schema}.${name}` : name
  const condition =
    schema === 'information_schema'
      ? `${INFORMATION_SCHEMA[name] ?? 'table_schema'} = current_schema()`
      : (CATALOG[name] ?? 'schemaname = current_schema()')
  return {
    rule: 'unfiltered-catalog',
    message: `${shown} shows the objects of every schema, and no condition says which: another tenant's are found, too`,
    remedy: `add the condition ${condition}${name in CATALOG ? ", or ask to_regclass('name') or to_regtype('name')" : ''}`,
    offset,
  }
}

// --------------------------------------------------------------------------------------------------- conditions

/** Whether something in `tree` keeps to one schema; columns of `others` are no catalog's. */
function hasCondition(tree: unknown, others: ReadonlySet<string>): boolean {
  let found = isUnknown(tree)
  walk(tree, (tag, fields) => {
    if (found) return false
    if (tag === 'FuncCall') found = /^pg_[a-z_]+_is_visible$/.test(words(fields['funcname']).at(-1) ?? '')
    else if (tag === 'SubLink') found = isTiedSide(fields['testexpr'], others)
    else if (tag === 'A_Expr') found = isCondition(fields, others)
    // What is excluded says nothing of what is left.
    else if (tag === 'BoolExpr' && fields['boolop'] === 'NOT_EXPR') {
      found = selectsIn(fields['args']).some((select) => hasCondition(select, others))
      return false
    } else if (tag === 'BoolExpr') found = list(fields['args']).some(isUnknown)
    return !found
  })
  return found
}

/** A condition, or a column, that is known at run time only: it may be the one that is missing. */
function isUnknown(tree: unknown): boolean {
  return column(tree)?.some((word) => word.includes(FILLER)) ?? false
}

function selectsIn(tree: unknown): readonly Fields[] {
  const selects: Fields[] = []
  walk(tree, (tag, fields) => {
    if (tag !== 'SelectStmt') return
    selects.push(fields)
    return false
  })
  return selects
}

function isCondition({ name, kind, lexpr, rexpr }: Fields, others: ReadonlySet<string>): boolean {
  if (NEGATIVE.has(words(name).at(-1) ?? '') || kind === 'AEXPR_DISTINCT') return false
  if (isUnknown(lexpr)) return true
  const sides = [lexpr, rexpr]
  // A join: what one catalog table says is compared to what another says.
  if (sides.every((side) => isCatalogColumn(side, others))) return false
  return sides.some((side) => isTiedSide(side, others))
}

/** Whether a side of a comparison, outside of the SELECTs in it, is a schema's column or an object's oid. */
function isTiedSide(side: unknown, others: ReadonlySet<string>): boolean {
  if (isOidColumn(side, others)) return true
  let found = false
  walk(side, (tag, fields) => {
    if (tag === 'SelectStmt') return false
    if (tag === 'ColumnRef') found ||= SCHEMA_COLUMN.test(words(fields['fields']).at(-1) ?? '')
  })
  return found
}

function isOidColumn(side: unknown, others: ReadonlySet<string>): boolean {
  return isCatalogColumn(side, others) && OID_COLUMN.test(column(side)?.at(-1) ?? '')
}

/** A column of the catalog, and not one of the application's tables, or a function's parameter or variable. */
function isCatalogColumn(side: unknown, others: ReadonlySet<string>): boolean {
  const name = column(side)
  const last = name?.at(-1)
  if (name === undefined || last === undefined || last === 'tg_relid') return false
  if (name.length > 1 && others.has(name[0] ?? '')) return false
  return (
    SCHEMA_COLUMN.test(last) ||
    OID_COLUMN.test(last) ||
    /^(?:ind|con|att|tg|typ|rel|pro|ad)[a-z]+$/.test(last)
  )
}

/** Whether `select` speaks of a relation around it. */
function mentions(select: Fields, aliases: ReadonlySet<string>, own: ReadonlySet<string>): boolean {
  let found = false
  walk(select, (tag, fields) => {
    if (tag !== 'ColumnRef') return
    const [first = '', ...rest] = words(fields['fields'])
    found ||= rest.length > 0 && aliases.has(first) && !own.has(first)
  })
  return found
}

// ------------------------------------------------------------------------------------------------ another schema

/** Conditions that keep to one schema, which is not the tenant's: `table_schema = 'public'`. */
function otherSchemas(conditions: readonly unknown[], facts: LintFacts): readonly CatalogComplaint[] {
  const found: CatalogComplaint[] = []
  walk(conditions, (tag, fields) => {
    if (tag === 'SelectStmt') return false
    if (tag !== 'A_Expr' || NEGATIVE.has(words(fields['name']).at(-1) ?? '')) return
    const sides = [fields['lexpr'], fields['rexpr']]
    if (!sides.some((side) => SCHEMA_COLUMN.test(column(side)?.at(-1) ?? ''))) return
    for (const side of sides) found.push(...constantsOf(side).flatMap((each) => otherSchema(each, facts)))
  })
  return found
}

/** The constants of a side: itself, one under a cast, those of a list. */
function constantsOf(side: unknown): readonly unknown[] {
  if (constant(side) !== undefined) return [side]
  const cast = fieldsOf(side, 'TypeCast')
  if (cast !== undefined) {
    const type = isFields(cast['typeName']) ? words(cast['typeName']['names']).at(-1) : undefined
    return type === 'regnamespace' ? [] : constantsOf(cast['arg']) // foreign-schema speaks of regnamespace everywhere
  }
  return list(fieldsOf(side, 'List')?.['items'] ?? fieldsOf(side, 'A_ArrayExpr')?.['elements']).flatMap(
    constantsOf,
  )
}

function otherSchema(value: unknown, facts: LintFacts): readonly CatalogComplaint[] {
  const schema = constant(value) ?? ''
  if (!/^[^%]+$/.test(schema) || !isForeign(schema, facts)) return []
  return [
    {
      rule: 'foreign-schema',
      message: `the condition looks in schema "${schema}", whichever tenant is migrated`,
      remedy: `write current_schema() for '${schema}': it is the tenant's own`,
      offset: location(fieldsOf(value, 'A_Const') ?? {}),
    },
  ]
}
