/** The flags that let a changed set of migrations pass, and the words for what they have let through. */
import type { Command } from 'commander'

import type { TenancyEvents } from '../events.ts'
import type { Allowances } from '../migrations/integrity.ts'

export interface AllowFlags {
  readonly allowMissing?: boolean
  readonly allowChanged?: boolean
  readonly allowOutOfOrder?: boolean
}

/** Gives `command` the flags. */
export function allowable(command: Command): Command {
  return command
    .option('--allow-missing', 'although files of applied migrations are missing')
    .option('--allow-changed', 'although files have changed since they were applied')
    .option('--allow-out-of-order', 'although new files sort before applied ones')
}

/** What the flags say; where they say nothing, the configuration decides. */
export function readAllow(flags: AllowFlags): { readonly allow?: Allowances } {
  const { allowMissing, allowChanged, allowOutOfOrder } = flags
  const allow = {
    ...(allowMissing === true ? { missing: true } : {}),
    ...(allowChanged === true ? { changed: true } : {}),
    ...(allowOutOfOrder === true ? { outOfOrder: true } : {}),
  }
  return Object.keys(allow).length === 0 ? {} : { allow }
}

const WORDS = {
  missing: 'is applied and has no file',
  changed: 'has changed since it was applied',
  'out-of-order': 'sorts before one that is applied',
  'passed-over': 'sorts before the head, and counts as applied',
} as const

/** One line for a file that was let through. */
export function allowedText({ tenant, migration, violation }: TenancyEvents['migration:allowed']): string {
  return `allowed: ${migration} ${WORDS[violation]} (${tenant})\n`.replace(/\p{Cc}(?!$)/gu, ' ')
}
