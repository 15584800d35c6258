/** A network between client and server: a proxy in a process of its own that holds back what the server answers. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Runs `fn` with a URL at which the server of `url` answers `delayMs` later. */
export async function withDelay<T>(
  url: string,
  delayMs: number,
  fn: (url: string) => Promise<T>,
): Promise<T> {
  if (delayMs === 0) return fn(url)
  const { hostname, port } = new URL(url)
  const proxy = fork(fileURLToPath(import.meta.url), [hostname, port, String(delayMs)])
  try {
    const [listening] = (await once(proxy, 'message')) as [number] // what the proxy sends below
    const delayed = new URL(url)
    delayed.host = `127.0.0.1:${listening}`
    return await fn(delayed.href)
  } finally {
    proxy.disconnect()
  }
}

function serve(host: string, port: number, delayMs: number): void {
  const server = createServer((client) => {
    const upstream = connect(port, host)
    client.setNoDelay().on('data', (chunk) => upstream.write(chunk))
    upstream.setNoDelay().on('data', (chunk) => void sleep(delayMs).then(() => client.write(chunk)))
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port)) // it listens on TCP
  process.once('disconnect', () => process.exit())
}

const [, path, host = '', port, delayMs] = process.argv
if (process.send !== undefined && path === fileURLToPath(import.meta.url)) {
  serve(host, Number(port), Number(delayMs))
}
