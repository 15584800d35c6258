/**
 * What a session is set to when it opens. Migrations may change it, as they may on any connection; the next tenant's
 * begin with what the first had: settings, role, no temporary tables.
 */
import type { WireClient } from '../scoped-query.ts'

export type SessionSettings = Readonly<Record<string, string>>

/** What Sequelize and the session have set when the connection was opened. */
export async function readSettings(client: WireClient): Promise<SessionSettings> {
  const { rows } = (await client.query(
    `SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.pg_settings WHERE source = 'session'
     UNION ALL SELECT 'role', pg_catalog.current_setting('role')`,
  )) as { rows: { name: string; value: string }[] } // pg's Result
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
}

/** Makes the session what it was. RESET ALL alone would take away what was set after connecting, too. */
export async function restoreSettings(
  send: (text: string, values?: readonly string[]) => Promise<unknown>,
  settings: SessionSettings,
): Promise<void> {
  await send('RESET ALL; DISCARD TEMP; DISCARD SEQUENCES')
  await send(
    'SELECT pg_catalog.set_config(key, value, false) FROM pg_catalog.json_each_text($1::pg_catalog.json)',
    [JSON.stringify(settings)],
  )
}
