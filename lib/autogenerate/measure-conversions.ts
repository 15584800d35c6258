/** Which rows a change of type would fail on: told by a condition where there is one, else by trying each value. Pure. */
import { quoteIdentifier } from '../sql.ts'
import { castOf } from './casts.ts'
import type { Column } from './snapshot.ts'
import { baseOf, modifiersOf } from './types.ts'

/** From and including the first number to excluding the second. */
const RANGES: Readonly<Record<string, readonly [string, string]>> = {
  smallint: ['-32768', '32768'],
  integer: ['-2147483648', '2147483648'],
  bigint: ['-9223372036854775808', '9223372036854775808'],
}

const WHOLE = ['smallint', 'integer', 'bigint']
const NUMBERS = [...WHOLE, 'numeric', 'real', 'double precision']

/** The condition of values that have no counterpart; none if PostgreSQL must be asked value by value. */
export function conversionCondition(from: Column, to: Column): string | undefined {
  if (from.isArray || to.isArray) return undefined
  const [before, after] = [baseOf(from.type), baseOf(to.type)]
  const column = `r.${quoteIdentifier(to.name)}`
  const [length, scale = 0] = modifiersOf(to.type)
  if ((after === 'character varying' || after === 'character') && length !== undefined) {
    // Spaces at the end are cut without a word.
    return `char_length(rtrim(${column}::text, ' ')) > ${length}`
  }
  if (!NUMBERS.includes(before)) return undefined
  const range = RANGES[after]
  if (range !== undefined) {
    const value = WHOLE.includes(before) ? column : `round(${column})`
    // NaN is in no range.
    return `NOT (${value} >= ${range[0]} AND ${value} < ${range[1]})`
  }
  if (after === 'numeric' && length !== undefined) {
    const value = `${column}::numeric`
    return `abs(round(${value}, ${scale})) >= 1e${length - scale}::numeric AND ${value} <> 'NaN'`
  }
  return undefined
}

/** Tries each value as the migration would; the last statement answers how many have failed. */
export function conversionTrial(table: string, from: Column, to: Column): readonly string[] {
  const column = quoteIdentifier(to.name)
  const lines = [
    'DECLARE',
    '  item record;',
    `  converted ${to.type};`,
    '  failed bigint := 0;',
    'BEGIN',
    `  FOR item IN SELECT ${column} FROM ${quoteIdentifier(table)} WHERE ${column} IS NOT NULL LOOP`,
    '    BEGIN',
    `      converted := item.${castOf(from, to) ?? column};`,
    '    EXCEPTION WHEN OTHERS THEN',
    '      failed := failed + 1;',
    '    END;',
    '  END LOOP;',
    `  PERFORM set_config('umzug_tenants.failed', failed::text, true);`,
    'END',
  ].join('\n')
  const quote = lines.includes('$$') ? '$trial$' : '$$'
  return [`DO ${quote}\n${lines}\n${quote}`, `SELECT current_setting('umzug_tenants.failed')::bigint AS rows`]
}
