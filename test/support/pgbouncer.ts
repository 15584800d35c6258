/**
 * Debian's PgBouncer before a server, for the time of a suite: loopback only, its own folder and user, one server
 * connection for all clients, so that whatever one leaves meets the next.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { query } from './database.ts'

const BINARY = '/usr/sbin/pgbouncer'
/** The user `nobody`: PgBouncer refuses to run as root. */
const NOBODY = 65534

export const hasPgBouncer = existsSync(BINARY)

export interface PgBouncer {
  /** The given URL, through the pooler. */
  url(direct: string): string
  stop(): Promise<void>
}

export interface PgBouncerOptions {
  readonly mode: 'transaction' | 'session'
  /** Connections to the server for all clients together. */
  readonly poolSize: number
}

/** Starts PgBouncer before the server of `direct`. */
export async function startPgBouncer(direct: string, options: PgBouncerOptions): Promise<PgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'umzug-tenants-pgbouncer-'))
  const port = await freePort()
  const ini = join(folder, 'pgbouncer.ini')
  writeFileSync(ini, configuration(new URL(direct), folder, port, options))
  const { username, password } = new URL(direct)
  const users = join(folder, 'users.txt')
  writeFileSync(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`)
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (const path of [folder, ini, users]) chownSync(path, NOBODY, NOBODY)
  chmodSync(users, 0o600)
  const child = spawn(BINARY, [ini], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  })
  let log = ''
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  const url = (original: string) => {
    const through = new URL(original)
    through.hostname = '127.0.0.1'
    through.port = String(port)
    return through.href
  }
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM') // at once; SIGINT would wait for the clients
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilReady(child, url(direct))
  } catch (error) {
    await stop()
    throw new Error(`PgBouncer did not start: ${log}`, { cause: error })
  }
  return { url, stop }
}

function configuration(server: URL, folder: string, port: number, options: PgBouncerOptions): string {
  return `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users.txt')}
pool_mode = ${options.mode}
default_pool_size = ${options.poolSize}
max_client_conn = 500
server_reset_query_always = 0
ignore_startup_parameters = extra_float_digits
`
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await query(url, 'SELECT 1')
      return
    } catch (error) {
      if (attempt === 60 || child.exitCode !== null) throw error
      await sleep(50)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server's
  server.close()
  await once(server, 'close')
  return port
}
