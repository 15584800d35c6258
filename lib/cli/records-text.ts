/** What is recorded of tenants, in words and tables for people: pure functions that return text. */
import type { AdoptReport } from '../adopt.ts'
import type { ErrorDocument } from '../errors.ts'
import { revisionOf } from '../migrations/revision.ts'
import type { StampReport } from '../stamp.ts'
import type { TenantStatus } from '../status.ts'
import type { MigrationEntry, TenantHistory } from '../tenant-history.ts'
import { durationText, errorText, table } from './print.ts'
import type { Style } from './terminal.ts'

/** What a stamp did, or would do. */
export function stampText(
  reports: readonly (StampReport & { readonly error?: ErrorDocument })[],
  style: Style,
  tense: 'done' | 'planned',
): string {
  const [record, forget] = tense === 'planned' ? ['would record', 'would forget'] : ['recorded', 'forgot']
  return reports
    .map(({ id, schema, recorded, forgotten, error }) => {
      const heading = `${style('bold', id)} (schema ${schema})`
      if (error !== undefined) return `${heading} would be refused\n${errorText(error, style)}`
      const lines = [
        ...forgotten.map((name) => `  ${forget} ${name}`),
        ...recorded.map((name) => `  ${record} ${name}`),
      ]
      return paragraph(heading, lines.length > 0 ? lines : ['  unchanged'])
    })
    .join('')
}

/** What became of a schema, or would become of it. */
export function adoptText(report: AdoptReport, style: Style, planned: boolean): string {
  const { id, schema, adopted, current, pending, recorded, statements } = report
  if (!adopted) return `no change: ${id} (schema ${schema})\n`
  const at = current === null ? 'before the first migration' : `at ${current}`
  const verb = planned ? 'would adopt' : 'adopted'
  return paragraph(`${verb} ${style('bold', id)} (schema ${schema}) ${at}, ${pending.length} pending`, [
    ...statements.map((statement) => `  ${statement};`),
    ...recorded.map((name) => `  ${planned ? 'would record' : 'recorded'} ${name}`),
  ])
}

/** Migrations by tenant, with when they were applied; of one tenant without its name. */
export function historyText(histories: readonly TenantHistory[], style: Style, one: boolean): string {
  const rows = histories.flatMap(({ id, migrations }) =>
    migrations.map((entry) => [...(one ? [] : [id]), entry.name, appliedText(entry), tookText(entry)]),
  )
  return table([[...(one ? [] : ['TENANT']), 'MIGRATION', 'APPLIED', 'TOOK'], ...rows], style)
}

/** Names alone, one a line, or with the tenant they are of. */
export function namesText(
  lists: readonly { readonly id: string; readonly migrations: readonly string[] }[],
  style: Style,
  one: boolean,
): string {
  if (one) return lists.flatMap(({ migrations }) => migrations.map((name) => `${name}\n`)).join('')
  const rows = lists.flatMap(({ id, migrations }) => migrations.map((name) => [id, name]))
  return table([['TENANT', 'MIGRATION'], ...rows], style)
}

/** The revision a tenant is at, as Alembic writes it: `REV (head)`; nothing before the first. */
export function currentText(statuses: readonly TenantStatus[], style: Style, one: boolean): string {
  if (one) return statuses.map((status) => line(headText(status))).join('')
  return table([['TENANT', 'CURRENT'], ...statuses.map((status) => [status.id, headText(status)])], style)
}

function headText({ current, head, pending }: TenantStatus): string {
  if (current === null) return ''
  return `${revisionOf(current)}${current === head && pending.length === 0 ? ' (head)' : ''}`
}

function line(text: string): string {
  return text === '' ? '' : `${text}\n`
}

function appliedText({ state, appliedAt }: MigrationEntry): string {
  if (state === 'pending') return 'pending'
  const when = appliedAt === null ? 'by another tool' : `${appliedAt.slice(0, 19).replace('T', ' ')} UTC`
  return state === 'unknown' ? `${when}, no file` : when
}

function tookText({ durationMs }: MigrationEntry): string {
  return durationMs === null ? '-' : durationText(durationMs)
}

function paragraph(heading: string, lines: readonly string[]): string {
  return `${[heading, ...lines].join('\n')}\n`
}
