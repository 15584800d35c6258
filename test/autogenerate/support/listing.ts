/**
 * Everything of a schema as lines, asked for in other words than the library does: the second opinion on whether two
 * schemas are the same.
 */
import type { SqlRunner } from '../../../lib/sql.ts'

const QUESTIONS = [
  `SELECT format('column %s.%s %s %s %s default %s identity %s generated %s collation %s', table_name, column_name,
                 (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
                   WHERE a.attrelid = format('%I.%I', table_schema, table_name)::regclass AND a.attname = column_name),
                 udt_name, is_nullable, column_default, identity_generation, generation_expression, collation_name)
     FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'SequelizeMeta'`,
  `SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename <> 'SequelizeMeta'`,
  `SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
     FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype <> 'n' AND conrelid::regclass::text NOT LIKE '%SequelizeMeta%'`,
  `SELECT format('enum %s %s', t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder))
     FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typnamespace = $1::regnamespace GROUP BY t.typname`,
  `SELECT format('sequence %s %s %s', sequencename, data_type, increment_by) FROM pg_sequences WHERE schemaname = $1`,
  `SELECT format('comment %s %s: %s', c.relname, d.objsubid > 0, d.description || coalesce(
            (SELECT ' on ' || attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0), ''))
     FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    WHERE c.relnamespace = $1::regnamespace`,
]

/** One line for each fact, sorted, the schema's own name taken out. */
export async function listingOf(sql: SqlRunner, schema: string): Promise<readonly string[]> {
  const text = QUESTIONS.map((question) => question.replaceAll('$1', `'${schema}'`)).map((question) => `SELECT line FROM (${question}) AS q (line)`) // prettier-ignore
  const rows = await sql.query<{ line: string }>(text.join(' UNION ALL '))
  const name = new RegExp(`(?<![\\w])"?${schema}"?\\.`, 'g')
  return rows.map(({ line }) => line.replace(name, '')).toSorted()
}
