/** Tables and sentences for people, JSON for programs: pure functions that return text. */
import stringWidth from 'fast-string-width'

import type { ErrorDocument } from '../errors.ts'
import type { Finding } from '../lint/finding.ts'
import type { TenantStatus } from '../status.ts'
import type { Tenant } from '../tenant.ts'
import { maskPasswords } from '../mask.ts'
import { changesOf, type FleetReport } from './outcomes.ts'
import type { Plan } from './report.ts'
import type { Style } from './terminal.ts'

/** One document, ended by a line break. */
export function jsonText(document: object): string {
  // In each text by itself: masked after it was escaped, a document could lose a quotation mark.
  const mask = (_key: string, value: unknown) => (typeof value === 'string' ? maskPasswords(value) : value)
  return `${JSON.stringify(document, mask, 2)}\n`
}

/** Columns as wide as their widest cell; the first row is the heading. */
export function table(rows: readonly (readonly string[])[], style: Style): string {
  const cells = rows.map((row) => row.map(printable))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => width(row[column]))))
  return cells
    .map((row, index) => {
      const line = row.map((cell, column) => pad(cell, widths[column])).join('   ')
      return `${index === 0 ? style('dim', line.trimEnd()) : line.trimEnd()}\n`
    })
    .join('')
}

/** Where tenants stand. */
export function statusText(statuses: readonly TenantStatus[], style: Style): string {
  const rows = statuses.map(({ id, schema, current, pending, state }) => [
    id,
    schema,
    current ?? '-',
    String(pending.length),
    state,
  ])
  return table([['TENANT', 'SCHEMA', 'AT', 'PENDING', 'STATE'], ...rows], style)
}

export function tenantsText(tenants: readonly Tenant[], style: Style): string {
  const rows = tenants.map(({ id, schema, host }) => [id, schema, host ?? '-'])
  return table([['TENANT', 'SCHEMA', 'HOST'], ...rows], style)
}

/** What `up` would run. */
export function planText(plans: readonly Plan[], style: Style): string {
  return plans
    .map(({ id, schema, migrations, error }) => {
      if (error !== undefined)
        return `${style('bold', id)} (schema ${schema}) would be refused\n${errorText(error, style)}`
      const heading = `${style('bold', id)} (schema ${schema}) would run ${count(migrations.length, 'migration')}`
      return [heading, ...migrations.map((name) => `  ${printable(name)}`)].join('\n') + '\n'
    })
    .join('')
}

/** A tenant's run that is committed. */
export interface Committed {
  readonly tenant: string
  readonly schema: string
  readonly direction: 'up' | 'down'
  readonly migrations: readonly { readonly name: string; readonly durationMs: number }[]
}

export function committedText(
  { tenant, schema, direction, migrations }: Committed,
  style: Style,
  hasHeading = true,
): string {
  const widest = Math.max(...migrations.map(({ name }) => width(name)))
  const verb = direction === 'up' ? '' : 'reverted '
  const lines = migrations.map(
    ({ name, durationMs }) =>
      `  ${style('good', '✔')} ${verb}${pad(printable(name), widest)}   ${style('dim', durationText(durationMs))}`,
  )
  const heading = hasHeading ? [`${style('bold', tenant)} (schema ${schema})`] : []
  return [...heading, ...lines].join('\n') + '\n'
}

/** What a run has made of its tenants, in its last line. */
export type Verb = 'up to date' | 'reverted' | 'redone' | 'stamped' | 'rehashed'

/** The last line of a run: how many tenants, how many migrations, how long. */
export function summaryText(report: FleetReport, verb: Verb, elapsedMs: number): string {
  const { tenants, failed, notRun } = report
  const migrations = tenants.reduce((sum, tenant) => sum + changesOf(tenant), 0)
  const total = tenants.length + notRun
  const done = tenants.length - failed
  const ratio = done === total ? count(done, 'tenant') : `${done} of ${count(total, 'tenant')}`
  const isIdle = migrations === 0 && done === total
  const became = isIdle && verb !== 'up to date' ? 'unchanged' : verb
  const nothing = isIdle ? 'nothing to do' : 'nothing done'
  const what = migrations === 0 ? nothing : count(migrations, 'migration')
  return `${ratio} ${became} · ${what} · ${durationText(elapsedMs)}\n`
}

/** Tenants that a message names; `--json` has them all. */
const MOST_NAMED = 20

/** Why the tenants failed that did, and how to run only them again. */
export function failuresText(report: FleetReport, command: string, style: Style): string {
  const failures = report.tenants.flatMap(({ id, error }) => (error === undefined ? [] : [{ id, error }]))
  const rows = failures.map(({ id, error }) => [id, error.migration ?? '-', reasonOf(error)])
  const total = count(report.tenants.length + report.notRun, 'tenant')
  const title = `${failures.length} of ${total} failed, ${report.tenants.length - failures.length} done`
  const more = rows.length - MOST_NAMED
  return [
    `${style('bad', '✖')} ${title}\n`,
    table([['TENANT', 'MIGRATION', 'WHY'], ...rows.slice(0, MOST_NAMED)], style),
    more > 0 ? `and ${more} more: --json names all\n` : '',
    `fix: mend the cause, then run only these: umzug-tenants ${command} ${idsOf(failures.map(({ id }) => id))}\n`,
  ].join('')
}

/** Which tenants were not begun, and how to go on; what `repeats` would do its work again on those that are done. */
export function remainingText({ remaining = [] }: FleetReport, command: string, repeats: boolean): string {
  if (remaining.length === 0) return ''
  const how = repeats
    ? `run only these: umzug-tenants ${command} ${idsOf(remaining)}`
    : 'run the same command again, which does only what is left'
  return `${count(remaining.length, 'tenant')} ${remaining.length === 1 ? 'was' : 'were'} not run\nto go on: ${how}\n`
}

function idsOf(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `--tenant ${ids.slice(0, MOST_NAMED).join(',')}${more > 0 ? `,… and ${more} more, which --json names` : ''}`
}

/** What `lint` found: a line that terminals and editors open, and what to write instead. */
export function findingsText(findings: readonly Finding[], style: Style): string {
  return findings
    .map(({ rule, file, line, column, message, remedy }) => {
      const place = style('bold', `${printable(file)}:${line}:${column}`)
      return `${place}  ${style('bad', rule)}  ${printable(message)}\n    fix: ${printable(remedy)}\n`
    })
    .join('')
}

/** What happened, to whom, the server's own words, and what to do next. */
export function errorText(error: ErrorDocument, style: Style): string {
  const { code, title, detail, fix } = error
  const lines = [
    ...placeOf(error),
    ...(detail === undefined ? [] : detail.split('\n')),
    ...fix.map((step) => `fix: ${step}`),
  ]
  return (
    [
      `${style('bad', '✖')} ${style('bold', code)} ${printable(title)}`,
      ...lines.map((line) => `  ${printable(line)}`),
    ].join('\n') + '\n'
  )
}

/** Tenant, migration and SQLSTATE, as far as the title does not name them. */
function placeOf({ title, tenant, migration, sqlstate }: ErrorDocument): readonly string[] {
  const parts = [
    ...(tenant === undefined || title.includes(`"${tenant}"`) ? [] : [`tenant ${tenant}`]),
    ...(migration === undefined || title.includes(migration) ? [] : [`migration ${migration}`]),
    ...(sqlstate === undefined || title.includes(sqlstate) ? [] : [`SQLSTATE ${sqlstate}`]),
  ]
  return parts.length === 0 ? [] : [parts.join(', ')]
}

function reasonOf({ code, sqlstate, detail, title }: ErrorDocument): string {
  const [words = title, ...others] = (detail ?? title).split('\n')
  // Whom it has waited for is worth more than the rest.
  const holder = others.find((line) => line.startsWith('held by'))
  return `${sqlstate ?? code} ${words}${holder === undefined ? '' : `, ${holder}`}`
}

/** `41 ms`, `1.2 s`, `3 min 5 s` */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** What a server or a file name says may hold anything; it must not move the cursor or change colours. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

/** Columns of a terminal, of which letters of some scripts take two, and marks on letters none. */
function width(text = ''): number {
  return stringWidth(text)
}

function pad(text: string, columns = 0): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)))
}

/** `512 B`, `96 kB`, `1.2 GB` */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const number = bytes / 1024 ** power
  return `${power === 0 || number >= 10 ? Math.round(number) : number.toFixed(1)} ${units[power] ?? ''}`
}
