/** Tenants whose last run has not ended well. */
import { SQLSTATE, sqlStateOf, type SqlRunner } from '../sql.ts'
import { LEDGER_SCHEMA } from '../tenant.ts'
import { error, listing, ok, warning, type Finding } from './finding.ts'

/** A tenant that is marked in the ledger. */
export interface Mark {
  readonly id: string
  readonly schema: string
  /** Migration that was being run outside a transaction. */
  readonly running: string | null
  /** Migration that has failed, if the last run has. */
  readonly failed: string | null
}

/** The tenants that are marked; none without a ledger, or with one of an earlier release. */
export async function readMarks(sql: SqlRunner): Promise<readonly Mark[]> {
  try {
    return await sql.query<Mark>(
      `SELECT id, schema, running,
              CASE WHEN state = 'failed' THEN coalesce(error ->> 'migration', error ->> 'code', '') END AS failed
         FROM ${LEDGER_SCHEMA}.tenant WHERE running IS NOT NULL OR state = 'failed' ORDER BY id COLLATE "C"`,
    )
  } catch (failure) {
    const state = sqlStateOf(failure)
    if (state === SQLSTATE.undefinedTable || state === SQLSTATE.undefinedColumn) return []
    throw failure
  }
}

/** A mark without a lock was left by a process that is no more; `locked` are the schemas being migrated now. */
export function judgeMarks(marks: readonly Mark[], locked: ReadonlySet<string>): readonly Finding[] {
  const findings: Finding[] = []
  const interrupted = marks.filter(({ running, schema }) => running !== null && !locked.has(schema))
  const [first] = interrupted
  if (first !== undefined)
    findings.push(
      error(
        'tenants',
        `A migration was interrupted on ${listing(
          'tenant',
          interrupted.map(({ id, running }) => `${id} (${running})`),
        )}.`,
        {
          detail:
            'part of it may have been done, outside a transaction; they are refused until it is settled',
          fix: [
            `undo what it has done, then: umzug-tenants repair --tenant ${first.id} --mark-rolled-back`,
            `or finish it by hand, then: umzug-tenants repair --tenant ${first.id} --mark-applied`,
          ],
        },
      ),
    )
  const failed = marks.filter(({ failed: migration }) => migration !== null)
  if (failed.length > 0)
    findings.push(
      warning(
        'tenants',
        `The last run failed on ${listing(
          'tenant',
          failed.map(({ id, failed: migration }) => `${id} (${migration})`),
        )}.`,
        {
          fix: [`see why: umzug-tenants up --tenant ${failed[0]?.id}`],
        },
      ),
    )
  return findings.length > 0 ? findings : [ok('tenants', 'no run has failed or was interrupted')]
}
