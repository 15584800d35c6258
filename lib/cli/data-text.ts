/** The rows that differences would break on, as `check --data` prints them. Pure. */
import { describeOperation } from '../autogenerate/describe.ts'
import type { CheckReport } from '../comparison.ts'
import { errorText } from './print.ts'
import type { Style } from './terminal.ts'

/** Tenants with what was found there, the others as a number. */
export function dataText({ data }: Pick<CheckReport, 'data'>, style: Style): string {
  if (data === undefined) return ''
  const found = data.tenants.filter(({ findings, absent }) => findings.length + absent.length > 0)
  const tenants = found.map(({ id, findings, absent }) => {
    const lines = [
      ...findings.map(({ rows, what }) => `  ${style('bad', String(rows))} ${rows === 1 ? 'row' : 'rows'}: ${what}\n`), // prettier-ignore
      ...absent.map(({ table, column }) => `  not counted: it has no ${column === undefined ? `table ${table}` : `column ${table}.${column}`}\n`), // prettier-ignore
    ]
    return `${style('bold', id)}\n${lines.join('')}`
  })
  const counted = data.succeeded + data.unchanged
  const unmeasured = data.unmeasured.map(
    (each) => `cannot be counted beforehand: ${describeOperation(each)}\n`,
  )
  return `${tenants.join('')}${unmeasured.join('')}${data.unchanged} of ${counted} tenants have no row that a migration would break on\n`
}

/** Tenants whose rows could not be counted, and those that were not begun. */
export function dataTroublesText({ data }: Pick<CheckReport, 'data'>, style: Style): string {
  if (data === undefined) return ''
  const failures = data.tenants.flatMap(({ id, error }) =>
    error === undefined ? [] : [`${id}: ${errorText(error, style)}`],
  )
  const rest = data.remaining === undefined ? '' : `not counted: ${data.remaining.join(', ')}\n`
  return failures.join('') + rest
}
