/** Whether a statement's answer tells its sender about rows, and whether it does more than to answer. */
import { loadSqlParser } from './sql.ts'
import { fieldsOf, isFields, list, text, walk, words, type Fields } from './sql-tree.ts'

export interface Reading {
  /** It answers with rows of tables, so that what its sender does next may depend on them. */
  readonly rows: boolean
  /** It may change something; a plain SELECT, or one on the catalog, does not. */
  readonly acts: boolean
}

/** A function that reads statements; one that PostgreSQL's parser does not understand is taken to act. */
export async function loadReader(): Promise<(statement: string) => Reading> {
  const parser = await loadSqlParser()
  return (statement) => {
    try {
      const { stmts = [] } = parser.parseSync(statement)
      const readings = stmts.map(({ stmt }) => readingOf(stmt))
      return { rows: readings.some(({ rows }) => rows), acts: readings.some(({ acts }) => acts) }
    } catch {
      return { rows: false, acts: true }
    }
  }
}

function readingOf(statement: unknown): Reading {
  const select = fieldsOf(statement, 'SelectStmt')
  if (select === undefined) return { rows: hasReturning(statement), acts: true }
  const relations: Fields[] = []
  const functions: string[] = []
  walk(select, (tag, node) => {
    if (tag === 'RangeVar') relations.push(node)
    if (tag === 'FuncCall') functions.push(words(node['funcname']).at(-1) ?? '')
  })
  const isCatalog = relations.length > 0 && relations.every(isOfCatalog)
  // It answers with what it was told to set.
  const onlySets = functions.includes('setval')
  return {
    rows: relations.length > 0 && !isCatalog && !onlySets,
    acts: !isCatalog && functions.length > 0,
  }
}

function isOfCatalog(relation: Fields): boolean {
  const schema = text(relation['schemaname'])
  return (
    schema === 'pg_catalog' ||
    schema === 'information_schema' ||
    (schema === '' && text(relation['relname']).startsWith('pg_'))
  )
}

/** RETURNING is a list of its own; from PostgreSQL 18 on it is a clause with one in it. */
function hasReturning(statement: unknown): boolean {
  return Object.values(isFields(statement) ? statement : {}).some(
    (node) => isFields(node) && (list(node['returningList']).length > 0 || isFields(node['returningClause'])),
  )
}
