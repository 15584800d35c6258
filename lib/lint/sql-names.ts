/** The rule foreign-schema in SQL: names that say which schema, where the search path should. */
import { isForeign, type Complaint, type LintFacts } from './finding.ts'
import {
  constant,
  isFields,
  list,
  location,
  fieldsOf,
  schemaInText,
  text,
  walk,
  words,
  type Fields,
} from './sql-tree.ts'

/** A schema that a statement names. */
export interface NamedSchema {
  readonly schema: string
  /** What was named in it; none if the schema itself is. */
  readonly name: string | undefined
  /** Where, in bytes; unknown to the tree of some statements. */
  readonly offset: number | undefined
}

/** The complaint about a foreign schema, in SQL or in code. */
export function foreignSchema(schema: string, name: string | undefined): Complaint {
  const said = name === undefined ? `schema "${schema}"` : `"${schema}.${name}"`
  const where = name === undefined ? '' : ` in schema "${schema}"`
  return {
    rule: 'foreign-schema',
    message: `${said} is named${where}, whichever tenant is migrated`,
    remedy:
      name === undefined
        ? "leave the schema out, or take current_schema(): it is the tenant's own"
        : `write "${name}" alone: it is found by the search path; if all tenants share it, name "${schema}" in searchPath or sharedSchema`,
  }
}

/** Functions that look up the relation a text names. */
const NAME_IN_TEXT =
  /^(?:nextval|currval|setval|pg_get_serial_sequence|to_reg(?:class|type|proc|procedure|oper|operator|collation))$/

/** Types whose text is a name that is looked up. */
const REG_TYPE = /^reg(?:class|type|proc|procedure|oper|operator|collation|config|dictionary)$/

/** Fields that hold a name as a list of words, one of them perhaps its schema. */
const NAME_FIELDS = [
  'typeName',
  'domainname',
  'funcname',
  'defnames',
  'objname',
  'names',
  'opclass',
  'collname',
]

/** How many words the name of an object of this kind has without a schema; kinds that are in no schema are not here. */
const WORDS: Readonly<Record<string, number>> = {
  OBJECT_TABLE: 1, OBJECT_VIEW: 1, OBJECT_MATVIEW: 1, OBJECT_INDEX: 1, OBJECT_SEQUENCE: 1,
  OBJECT_FOREIGN_TABLE: 1, OBJECT_COLLATION: 1, OBJECT_CONVERSION: 1, OBJECT_STATISTIC_EXT: 1, OBJECT_TYPE: 1,
  OBJECT_TSCONFIGURATION: 1, OBJECT_TSDICTIONARY: 1, OBJECT_TSPARSER: 1, OBJECT_TSTEMPLATE: 1, OBJECT_DOMAIN: 1,
  OBJECT_COLUMN: 2, OBJECT_TRIGGER: 2, OBJECT_RULE: 2, OBJECT_POLICY: 2, OBJECT_TABCONSTRAINT: 2,
} // prettier-ignore

/** Every schema `statement` names that is not the same for all tenants. */
export function* foreignSchemas(
  statement: unknown,
  facts: LintFacts,
  { inFunction }: { readonly inFunction: boolean },
): Generator<NamedSchema> {
  const found: NamedSchema[] = []
  const add = (schema: string | undefined, name: string | undefined, offset: number | undefined) => {
    if (schema !== undefined && isForeign(schema, facts)) found.push({ schema, name, offset })
  }
  walk(statement, (tag, fields) => {
    const offset = location(fields)
    if (tag === 'RangeVar') add(schemaOf(fields), text(fields['relname']), offset)
    // In a function `a.b.c` may be a record's field.
    else if (tag === 'ColumnRef' && !inFunction) addName(words(fields['fields']), 2, offset)
    else if (tag === 'A_Expr') addName(words(fields['name']), 1, offset)
    else if (tag === 'TypeCast') addCast(fields)
    else if (tag === 'DropStmt' || tag === 'CommentStmt' || tag === 'RenameStmt') addObjects(fields)
    else if (tag === 'AlterObjectSchemaStmt') add(text(fields['newschema']), undefined, offset)
    else if (tag === 'GrantStmt') addGrant(fields)
    else if (tag === 'AlterDefaultPrivilegesStmt') addDefaults(fields)
    else if (tag === 'DefElem' && fields['defname'] === 'owned_by') addName(words(fields['arg']), 2, offset)
    if (tag === 'FuncCall') addTextArguments(fields)
    for (const key of NAME_FIELDS) addName(words(fields[key]), 1, offset)
  })
  yield* found

  /** A name that has more words than it needs. */
  function addName(name: readonly string[], bare: number, offset: number | undefined): void {
    if (name.length > bare) add(name.at(-bare - 1), name.slice(-bare).join('.'), offset)
  }

  function addCast(fields: Fields): void {
    const type = isFields(fields['typeName']) ? words(fields['typeName']['names']).at(-1) : undefined
    const value = constant(fields['arg'])
    if (value === undefined || type === undefined) return
    const offset = location(fieldsOf(fields['arg'], 'A_Const') ?? {})
    if (REG_TYPE.test(type)) addText(value, offset)
    else if (type === 'regnamespace') add(value, undefined, offset)
  }

  function addTextArguments(fields: Fields): void {
    if (!NAME_IN_TEXT.test(words(fields['funcname']).at(-1) ?? '')) return
    const [first] = list(fields['args'])
    const value = constant(first)
    if (value !== undefined) addText(value, location(fieldsOf(first, 'A_Const') ?? {}))
  }

  function addText(value: string, offset: number | undefined): void {
    const schema = schemaInText(value)
    if (schema !== undefined) add(schema, value.slice(value.indexOf('.') + 1), offset)
  }

  function addObjects(fields: Fields): void {
    const kind = text(fields['removeType'] ?? fields['objtype'] ?? fields['renameType'])
    const objects = fields['objects'] ?? (fields['object'] === undefined ? [] : [fields['object']])
    const bare = WORDS[kind]
    for (const object of list(objects)) {
      if (bare !== undefined) addName(words(object), bare, undefined)
      else if (kind === 'OBJECT_SCHEMA' && fields['comment'] !== undefined)
        add(text(fieldsOf(object, 'String')?.['sval']), undefined, undefined)
    }
  }

  function addGrant(fields: Fields): void {
    const ofSchemas =
      fields['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA' || fields['objtype'] === 'OBJECT_SCHEMA'
    if (ofSchemas) for (const schema of words(fields['objects'])) add(schema, undefined, undefined)
  }

  function addDefaults(fields: Fields): void {
    for (const option of list(fields['options'])) {
      const { defname, arg } = fieldsOf(option, 'DefElem') ?? {}
      if (defname === 'schemas') for (const schema of words(arg)) add(schema, undefined, undefined)
    }
  }
}

function schemaOf(relation: Fields): string | undefined {
  return typeof relation['schemaname'] === 'string' ? relation['schemaname'] : undefined
}
