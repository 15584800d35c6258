/** The steps of a rehearsal as a script for psql. Pure. */
import type { Reading } from '../lint/sql-reads.ts'
import { tokensOf } from '../statement.ts'
import type { Step } from './rehearsal.ts'
import type { Statement } from './statements.ts'

/** What stands at the top of every script: psql stops at the first failure, as a run does. */
export const SCRIPT_HEAD = `\\set ON_ERROR_STOP on
SET client_encoding TO 'UTF8';
SET standard_conforming_strings TO on;
SET client_min_messages TO warning;
`

export interface ScriptPart {
  readonly text: string
  /** Migrations that have read rows: what they did next may depend on the answers of this database. */
  readonly reading: readonly string[]
}

/** `steps` as statements, under `title`, a line for whoever reads the script. */
export function writeScript(
  title: string,
  steps: readonly Step[],
  readingOf: (text: string) => Reading,
): ScriptPart {
  const lines = [`-- ${oneLine(title)}`]
  const reading = new Set<string>()
  let migration: string | undefined
  let isAnnounced = true
  for (const step of steps) {
    if (step.kind === 'turn') continue
    if (step.kind === 'migration') {
      migration = step.name
      isAnnounced = false
      continue
    }
    if (step.kind !== 'statement') {
      lines.push(controlText(step))
      continue
    }
    const { rows, acts } = readingOf(step.text)
    if (step.isMigration && rows && migration !== undefined) reading.add(migration)
    if (!acts) continue
    // A migration that was undone and begun again is announced once, before its first statement.
    if (!isAnnounced && step.isMigration) lines.push(`-- ${oneLine(migration ?? '')}`)
    isAnnounced ||= step.isMigration
    lines.push(statementText(step))
  }
  return { text: `${lines.join('\n')}\n`, reading: [...reading] }
}

function controlText(step: Exclude<Step, { kind: 'statement' | 'migration' | 'turn' }>): string {
  switch (step.kind) {
    case 'lock':
      return `SELECT pg_catalog.pg_advisory_lock(${step.key});`
    case 'unlock':
      return `SELECT pg_catalog.pg_advisory_unlock(${step.key});`
    case 'begin':
      return step.path === undefined ? 'BEGIN;' : `BEGIN;\nSET LOCAL search_path TO ${step.path};`
    case 'commit':
      return 'COMMIT;'
    case 'path':
      if (step.path === undefined) return 'RESET search_path;'
      return `SET ${step.isLocal === true ? 'LOCAL ' : ''}search_path TO ${step.path};`
  }
}

/** A statement that psql can read: its values in place, and ended. */
function statementText({ text, values }: Statement): string {
  const whole = withValues(text, values).trimEnd()
  if (whole.endsWith(';')) return whole
  // After a comment in the last line a semicolon would be part of it.
  return /--[^\n]*$/.test(whole) ? `${whole}\n;` : `${whole};`
}

function withValues(text: string, values: readonly unknown[]): string {
  if (values.length === 0) return text
  return tokensOf(text)
    .map((token) => (/^\$\d+$/.test(token) ? literal(values[Number(token.slice(1)) - 1]) : token))
    .join('')
}

/** A value as a constant of unknown type, which takes the type of its place as a parameter does. */
function literal(value: unknown): string {
  const text = textOf(value)
  return text === undefined ? 'NULL' : `'${text.replaceAll("'", "''")}'`
}

function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  if (value instanceof Date) return value.toISOString()
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`
  if (Array.isArray(value)) return `{${value.map(elementText).join(',')}}`
  if (typeof value === 'object') return JSON.stringify(value)
  return (value as string | number | bigint | boolean).toString() // what is left of the values pg takes
}

function elementText(value: unknown): string {
  if (Array.isArray(value)) return textOf(value) ?? ''
  const text = textOf(value)
  return text === undefined ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
