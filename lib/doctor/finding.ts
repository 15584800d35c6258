/** What `doctor` says of one thing it has looked at, and the words to say it with. Pure. */

/** `error`: something does not work, or is not safe, now. `warning`: it will not, or may not be. */
export type Level = 'ok' | 'warning' | 'error'

export type CheckName =
  | 'version'
  | 'connection'
  | 'tls'
  | 'privileges'
  | 'shared-schema'
  | 'public'
  | 'indexes'
  | 'pg_dump'
  | 'tenants'

export interface Finding {
  readonly check: CheckName
  readonly level: Level
  /** One line: what is so. */
  readonly title: string
  readonly detail?: string
  /** What to do about it, most likely first. */
  readonly fix: readonly string[]
}

export function ok(check: CheckName, title: string): Finding {
  return { check, level: 'ok', title, fix: [] }
}

interface Advice {
  readonly detail?: string
  readonly fix: readonly string[]
}

export function warning(check: CheckName, title: string, advice: Advice): Finding {
  return { check, level: 'warning', title, ...advice }
}

export function error(check: CheckName, title: string, advice: Advice): Finding {
  return { check, level: 'error', title, ...advice }
}

/** `3 tenants: a, b, c`; of many only the first, so that a line stays one. */
export function listing(noun: string, names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ')
  const rest = names.length > most ? ` and ${names.length - most} more` : ''
  return `${counted(names.length, noun)}: ${shown}${rest}`
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
