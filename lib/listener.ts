/**
 * A connection that listens for what other processes write to the ledger. It is a direct one, opened for this alone,
 * opened again when it is lost, and never what keeps the process alive.
 */
import { databaseError } from './database-errors.ts'
import { isTenancyError, messageOf, TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import { LEDGER_CHANNEL } from './ledger.ts'
import { connect, type SessionOptions } from './migrations/connection.ts'
import type { PinnedSequelize } from './migrations/pinned-sequelize.ts'
import type { WireClient } from './scoped-query.ts'

export interface ListenerOptions {
  readonly events: Events
  connection(): Promise<SessionOptions>
  /** The schema of a tenant whose ledger row has changed; empty for all of them. */
  onChange(schema: string): void
  /** Listens from now on: what happened before went unheard. */
  onListening(): void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

/** pg's Client, as far as it tells of what the server says without being asked. */
interface ListeningClient extends WireClient {
  on(event: 'notification', listener: (message: { payload?: string }) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  unref(): void
}

interface Parts {
  readonly pinned: PinnedSequelize
  readonly client: ListeningClient
}

export class Listener {
  readonly #options: ListenerOptions
  #opening: Promise<void> | undefined
  #parts: Parts | undefined
  #timer: NodeJS.Timeout | undefined
  #losses = 0
  #isClosed = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Begins to listen; again it changes nothing. */
  begin(): void {
    if (this.#isClosed || this.#opening !== undefined) return
    this.#opening = this.#open()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#opening
    await this.#drop()
  }

  async #drop(): Promise<void> {
    const parts = this.#parts
    this.#parts = undefined
    try {
      await parts?.pinned.close()
    } catch {
      // It was lost: there is nothing left to close.
    }
  }

  async #open(): Promise<void> {
    try {
      const options = await this.#options.connection()
      // Sequelize types a connection as unknown: it is pg's Client.
      const parts = await connect(options, ({ pinned, client }) => ({
        pinned,
        client: client as ListeningClient,
      }))
      this.#parts = parts
      if (this.#isClosed) return
      await this.#listen(parts)
    } catch (error) {
      this.#lost(error)
    }
  }

  async #listen(parts: Parts): Promise<void> {
    const { client } = parts
    client.on('notification', ({ payload = '' }) => this.#options.onChange(payload))
    const lost = () => {
      if (this.#parts === parts) this.#lost(new Error('the connection that listens was ended'))
    }
    client.on('error', lost)
    client.on('end', lost)
    await client.query(`LISTEN ${LEDGER_CHANNEL}`)
    client.unref()
    this.#losses = 0
    this.#options.onListening()
  }

  /** Tells of it once for each connection, and opens another, unless none could be a better one. */
  #lost(error: unknown): void {
    void this.#drop()
    if (this.#isClosed) return
    this.#options.events.emit('listen:lost', { error: explain(error).toJSON() })
    if (isTenancyError(error, 'POOLER_DETECTED')) return
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#losses++, LONGEST_PAUSE_MS)
    this.#timer = setTimeout(
      () => {
        this.#opening = this.#open()
      },
      pause * (0.75 + Math.random() / 2),
    )
    this.#timer.unref()
  }
}

function explain(error: unknown): TenancyError {
  if (error instanceof TenancyError) return error
  return (
    databaseError(error) ??
    new TenancyError('DATABASE_UNREACHABLE', 'The connection that listens is lost.', {
      detail: messageOf(error),
      fix: ['nothing, if it comes back; until then lazy.recheckMs is how late changes are noticed'],
    })
  )
}
