/** What a program is told of its tenant: by name, and by the search path of every connection it opens. Pure. */
import { searchPath } from '../sql.ts'
import type { Tenant } from '../tenant.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * `env` with the tenant's id and schema, and with `PGOPTIONS` that make bare names mean the tenant's schema: libpq
 * (psql, pg_dump, drivers of most languages) and pg read them.
 */
export function programEnvironment(
  { id, schema }: Tenant,
  shared: readonly string[],
  env: Environment,
): Environment {
  return {
    ...env,
    UMZUG_TENANT: id,
    UMZUG_TENANT_SCHEMA: schema,
    PGOPTIONS: withOption(env['PGOPTIONS'], 'search_path', searchPath([schema, ...shared])),
  }
}

/**
 * `options` followed by `-c name=value`; of two settings the server takes the last. It splits the text at white space,
 * and a backslash takes the next character as it is (pg_split_opts in PostgreSQL's postinit.c).
 *
 * @example
 * ```ts
 * withOption('-c geqo=off', 'search_path', '"a b"') // '-c geqo=off -c search_path="a\\ b"'
 * ```
 */
export function withOption(options: string | undefined, name: string, value: string): string {
  const escaped = value.replace(/[\\ \t\n\v\f\r]/g, '\\$&')
  // A backslash at the end would take the space that follows, and with it the setting.
  const before = (options ?? '').trim().replace(/(?<!\\)((?:\\\\)*)\\$/, '$1')
  return `${before} -c ${name}=${escaped}`.trimStart()
}
