/** What `pg_dump` says of a schema: an opinion that has nothing of the library in it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import * as assert from 'uvu/assert'

import { query } from './database.ts'

const run = promisify(execFile)

/** By server: why there is none for it. */
const reasons = new Map<string, Promise<string | undefined>>()

/** Two schemas are the same to `pg_dump`. Where there is none that knows the server, it says so once and does nothing. */
export async function sameDumps(url: string, one: string, other: string): Promise<void> {
  const { host } = new URL(url)
  const known = reasons.get(host)
  const reason = known ?? reasonOf(url)
  reasons.set(host, reason)
  const why = await reason
  if (why !== undefined) {
    if (known === undefined) console.log(`    not compared by pg_dump: ${why}`)
    return
  }
  const dumps = await dumpsOf(url, [one, other])
  assert.equal(dumps.get(one), dumps.get(other), 'pg_dump says the same of both')
}

async function reasonOf(url: string): Promise<string | undefined> {
  const printed = await run('pg_dump', ['--version']).catch(() => undefined)
  if (printed === undefined) return 'there is none'
  const own = Number(/\d+/.exec(printed.stdout)?.[0])
  const [server] = await query<{ major: number }>(
    url,
    `SELECT current_setting('server_version_num')::integer / 10000 AS major`,
  )
  const major = server?.major ?? 0
  return own < major ? `it is ${own}, older than the server, which is ${major}` : undefined
}

/** Of each object what makes it, its lines in an order of their own: that of columns is no matter. */
async function dumpsOf(
  url: string,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = schemas.flatMap((schema) => ['-n', schema])
  const { stdout } = await run('pg_dump', ['--schema-only', ...names, url], { maxBuffer: 1e8 })
  const found = new Map(schemas.map((schema): [string, string[]] => [schema, []]))
  // Before each object stands a comment that names its schema; "-" for a schema itself.
  const [, ...parts] = stdout.split(/^-- Name: .*; Schema: (\S+); Owner:.*\n/m)
  for (let at = 0; at < parts.length; at += 2) {
    const [schema = '', text = ''] = parts.slice(at)
    found.get(schema)?.push(normalised(text, schema))
  }
  return new Map([...found].map(([schema, texts]) => [schema, texts.toSorted()]))
}

function normalised(text: string, schema: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll(`${schema}.`, '').replace(/,$/, ''))
    .filter((line) => line.trim() !== '' && !/^(?:--|SET |\\)/.test(line))
    .toSorted()
    .join('\n')
}
