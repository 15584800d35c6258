/** The rules that look at what a statement is: database-wide, search-path, transaction-control. */
import { FILLER, isForeign, type Complaint, type LintFacts } from './finding.ts'
import { constant, isFields, list, location, fieldsOf, text, walk, words, type Fields } from './sql-tree.ts'

/** Kinds of statements → what they change for every tenant at once. */
const DATABASE_WIDE: Readonly<Record<string, string>> = {
  CreateExtensionStmt: 'an extension', AlterExtensionStmt: 'an extension', AlterExtensionContentsStmt: 'an extension',
  CreateRoleStmt: 'a role', AlterRoleStmt: 'a role', AlterRoleSetStmt: 'a role', DropRoleStmt: 'a role',
  GrantRoleStmt: 'a role', DropOwnedStmt: 'a role', ReassignOwnedStmt: 'a role',
  CreatedbStmt: 'a database', DropdbStmt: 'a database', AlterDatabaseStmt: 'a database',
  AlterDatabaseSetStmt: 'a database', AlterDatabaseRefreshCollStmt: 'a database',
  AlterSystemStmt: 'the server', CheckPointStmt: 'the server', LoadStmt: 'the server',
  CreateEventTrigStmt: 'an event trigger', AlterEventTrigStmt: 'an event trigger',
  CreatePublicationStmt: 'a publication', AlterPublicationStmt: 'a publication',
  CreateSubscriptionStmt: 'a subscription', AlterSubscriptionStmt: 'a subscription',
  DropSubscriptionStmt: 'a subscription',
  CreateTableSpaceStmt: 'a tablespace', DropTableSpaceStmt: 'a tablespace', AlterTableSpaceOptionsStmt: 'a tablespace',
  CreateSchemaStmt: 'a schema', CreateFdwStmt: 'a foreign data wrapper', AlterFdwStmt: 'a foreign data wrapper',
  CreateForeignServerStmt: 'a foreign server', AlterForeignServerStmt: 'a foreign server',
  CreateUserMappingStmt: 'a user mapping', AlterUserMappingStmt: 'a user mapping',
  DropUserMappingStmt: 'a user mapping', CreatePLangStmt: 'a language', CreateAmStmt: 'an access method',
  CreateCastStmt: 'a cast', CreateTransformStmt: 'a transform',
} // prettier-ignore

/** Kinds of objects that DROP, ALTER … RENAME, COMMENT ON and GRANT … ON reach, and that are in no schema. */
const DATABASE_WIDE_OBJECTS: Readonly<Record<string, string>> = {
  OBJECT_EXTENSION: 'an extension', OBJECT_ROLE: 'a role', OBJECT_DATABASE: 'a database', OBJECT_SCHEMA: 'a schema',
  OBJECT_EVENT_TRIGGER: 'an event trigger', OBJECT_PUBLICATION: 'a publication',
  OBJECT_SUBSCRIPTION: 'a subscription', OBJECT_TABLESPACE: 'a tablespace', OBJECT_FDW: 'a foreign data wrapper',
  OBJECT_FOREIGN_SERVER: 'a foreign server', OBJECT_LANGUAGE: 'a language', OBJECT_ACCESS_METHOD: 'an access method',
  OBJECT_CAST: 'a cast', OBJECT_TRANSFORM: 'a transform',
} // prettier-ignore

const OBJECT_STATEMENTS = new Set(['DropStmt', 'RenameStmt', 'CommentStmt', 'GrantStmt', 'AlterOwnerStmt'])

/** A complaint about a whole statement, or about what stands at a byte of it. */
export interface StatementComplaint extends Complaint {
  readonly offset?: number | undefined
}

export function databaseWide(what: string): Complaint {
  return {
    rule: 'database-wide',
    message: `this concerns ${what}: all tenants at once, and every tenant's run repeats it`,
    remedy: what.endsWith('schema')
      ? "leave it out: a tenant's schema is made by provision and removed by drop"
      : 'move it to a migration of the shared schema (sharedMigrations), which runs once',
  }
}

/** What is wrong with a statement, given its tag and fields, by being what it is. */
export function statementComplaints(
  tag: string,
  fields: Fields,
  facts: LintFacts,
  { inFunction }: { readonly inFunction: boolean },
): readonly StatementComplaint[] {
  const paths = searchPathComplaints(tag, fields, facts)
  // ALTER ROLE … SET search_path is both; the path is what matters.
  if (paths.length > 0) return paths
  const what = databaseWideObject(tag, fields)
  if (what !== undefined && !facts.shared) return [databaseWide(what)]
  return !inFunction && facts.inTransaction ? transactionComplaints(tag, fields) : []
}

function databaseWideObject(tag: string, fields: Fields): string | undefined {
  if (isUnknownGrant(tag, fields)) return undefined
  if (!OBJECT_STATEMENTS.has(tag)) return wholeDatabase(tag, fields) ?? DATABASE_WIDE[tag]
  const kind = text(fields['removeType'] ?? fields['renameType'] ?? fields['objectType'] ?? fields['objtype'])
  // GRANT and COMMENT on a schema are foreign-schema's: they name it.
  if (kind === 'OBJECT_SCHEMA' && (tag === 'GrantStmt' || tag === 'CommentStmt')) return undefined
  return DATABASE_WIDE_OBJECTS[kind]
}

/** GRANT of what is known at run time only, which may be privileges as well as roles. */
function isUnknownGrant(tag: string, fields: Fields): boolean {
  return tag === 'GrantRoleStmt' && JSON.stringify(fields['granted_roles']).includes(FILLER)
}

/** REINDEX DATABASE; VACUUM and ANALYZE without a table. */
function wholeDatabase(tag: string, fields: Fields): string | undefined {
  const kind = text(fields['kind'])
  if (tag === 'ReindexStmt' && (kind === 'REINDEX_OBJECT_DATABASE' || kind === 'REINDEX_OBJECT_SYSTEM'))
    return 'a database'
  return tag === 'VacuumStmt' && list(fields['rels']).length === 0 ? 'a database' : undefined
}

/** Statements that end the run's transaction or begin another; savepoints stay inside of it. */
function transactionComplaints(tag: string, fields: Fields): readonly StatementComplaint[] {
  const kind = text(fields['kind']).replace('TRANS_STMT_', '')
  const inside = ['SAVEPOINT', 'RELEASE', 'ROLLBACK_TO']
  if (tag !== 'TransactionStmt' || inside.includes(kind)) return []
  return [
    {
      rule: 'transaction-control',
      message: `${kind.replace('_', ' ')} is the run's: here it would tear the migration from its version row`,
      remedy:
        "leave it out: the run has its own transaction; a migration that must be outside of it says transaction = false ('-- transaction: false' in SQL)",
    },
  ]
}

// --------------------------------------------------------------------------------------------------- search path

const PATH_REMEDY =
  "leave it out: every statement runs with the tenant's search path; what all tenants share belongs in searchPath"

function searchPathComplaints(tag: string, fields: Fields, facts: LintFacts): readonly StatementComplaint[] {
  if (tag === 'VariableSetStmt' && setsPath(fields)) return [pathComplaint('SET search_path turns')]
  if (tag === 'DiscardStmt' && fields['target'] === 'DISCARD_ALL') return [pathComplaint('DISCARD ALL turns')]
  if ((tag === 'AlterRoleSetStmt' || tag === 'AlterDatabaseSetStmt') && isFields(fields['setstmt'])) {
    return setsPath(fields['setstmt']) ? [pathComplaint("a role's or database's search_path turns")] : []
  }
  if (tag === 'CreateFunctionStmt' || tag === 'AlterFunctionStmt') {
    return list(fields['options'] ?? fields['actions']).flatMap((option) => functionPath(option, facts))
  }
  return setConfigCalls(tag, fields)
}

function setsPath(fields: Fields): boolean {
  return text(fields['name']).toLowerCase() === 'search_path' || fields['kind'] === 'VAR_RESET_ALL'
}

function pathComplaint(what: string, offset?: number): StatementComplaint {
  return {
    rule: 'search-path',
    message: `${what} what follows away from the tenant's schema`,
    remedy: PATH_REMEDY,
    offset,
  }
}

/**
 * `CREATE FUNCTION … SET search_path`. An empty path, the server's own schemas and the shared ones are the same for
 * every tenant's copy of the function, and FROM CURRENT takes the tenant's.
 */
function functionPath(option: unknown, facts: LintFacts): readonly StatementComplaint[] {
  const set = fieldsOf(fieldsOf(option, 'DefElem')?.['arg'], 'VariableSetStmt')
  if (set === undefined || !setsPath(set) || set['kind'] !== 'VAR_SET_VALUE') return []
  const schemas = list(set['args']).flatMap((value) => (constant(value) ?? '').split(','))
  const foreign = schemas
    .map((schema) => schema.trim())
    .find((schema) => schema !== '$user' && isForeign(schema, facts))
  if (foreign === undefined) return []
  return [
    {
      rule: 'search-path',
      message: `the function would look in schema "${foreign}", whichever tenant calls it`,
      remedy:
        "write SET search_path FROM CURRENT: it keeps the path of the migration's run, the tenant's schema first",
      offset: location(set),
    },
  ]
}

/** `set_config('search_path', …)` anywhere in the statement. */
function setConfigCalls(tag: string, fields: Fields): readonly StatementComplaint[] {
  const found: StatementComplaint[] = []
  walk({ [tag]: fields }, (inner, call) => {
    if (inner !== 'FuncCall' || words(call['funcname']).at(-1) !== 'set_config') return
    if (constant(list(call['args'])[0])?.toLowerCase() !== 'search_path') return
    found.push(pathComplaint("set_config('search_path', …) turns", location(call)))
  })
  return found
}
