/** What the server's side of a benchmark costs: processor time and memory of the backends that serve it. */
import { readFile } from 'node:fs/promises'

import { query } from '../test/support/database.ts'

export interface BackendUse {
  /** User and system time. */
  readonly cpuMs: number
  /** Memory of the backends' own, one's on average. */
  readonly megabytes: number
}

/** Linux counts in hundredths of a second, whatever the kernel's own clock does (proc(5), sysconf(_SC_CLK_TCK)). */
const MS_PER_TICK = 10

/**
 * Use so far by the backends of `applicationName`; nothing if the server is not on this machine, or the system has
 * no /proc.
 */
export async function readBackendUse(url: string, applicationName: string): Promise<BackendUse | undefined> {
  const rows = await query<{ pid: number }>(
    url,
    'SELECT pid FROM pg_stat_activity WHERE application_name = $1',
    [applicationName],
  )
  try {
    const each = await Promise.all(rows.map(({ pid }) => readProcess(pid)))
    const total = (key: keyof BackendUse) => each.reduce((sum, use) => sum + use[key], 0)
    return { cpuMs: total('cpuMs'), megabytes: total('megabytes') / each.length }
  } catch {
    return undefined
  }
}

async function readProcess(pid: number): Promise<BackendUse> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  // The second field is the name in parentheses, which may hold blanks; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const kilobytes = /^RssAnon:\s+(\d+)/m.exec(status)?.[1]
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    megabytes: Number(kilobytes) / 1024,
  }
}
