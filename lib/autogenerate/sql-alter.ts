/** A column made into another one, its rows kept: default, type, nullability, and where its numbers come from. */
import { quoteIdentifier } from '../sql.ts'
import { castOf } from './casts.ts'
import { quoteText } from './names.ts'
import type { Column, Sequence } from './snapshot.ts'
import { createOwned, identityText, nextValueOf, own } from './sql-columns.ts'

export function alterColumn(table: string, from: Column, to: Column): readonly string[] {
  const alter = `ALTER TABLE ${quoteIdentifier(table)}`
  const start = `${alter} ALTER COLUMN ${quoteIdentifier(to.name)}`
  const retyped = from.type !== to.type || from.collation !== to.collation
  const newIdentity = to.identity !== null && from.identity === null
  return [
    ...leaveNumbering(start, from, to),
    ...(from.generated !== null && to.generated === null ? [`${start} DROP EXPRESSION`] : []),
    // The default's own type may have no cast to the new one.
    ...(from.default !== null && (retyped || to.default === null) ? [`${start} DROP DEFAULT`] : []),
    ...(retyped ? [`${start} TYPE ${typeText(from, to)}`] : []),
    // An identity column must be NOT NULL before it becomes one.
    ...(to.notNull && !from.notNull ? [`${start} SET NOT NULL`] : []),
    ...(to.default !== null && (retyped || from.default !== to.default)
      ? [`${start} SET DEFAULT ${to.default}`]
      : []),
    ...(newIdentity ? [`${start} ADD ${identityText(table, to)}`, ...goOn(table, to)] : []),
    ...(to.serial !== null && from.serial === null ? beginSerial(table, start, to, to.serial) : []),
    ...keepNumbering(start, from, to),
    ...(from.notNull && !to.notNull ? [`${start} DROP NOT NULL`] : []),
  ]
}

function typeText(from: Column, to: Column): string {
  const collation = to.collation === null ? '' : ` COLLATE ${to.collation}`
  const cast = castOf(from, to)
  return `${to.type}${collation}${cast === null ? '' : ` USING ${cast}`}`
}

function leaveNumbering(start: string, from: Column, to: Column): readonly string[] {
  if (from.identity !== null && to.identity === null) return [`${start} DROP IDENTITY`]
  if (from.serial !== null && to.serial === null)
    return [`${start} DROP DEFAULT`, `DROP SEQUENCE ${quoteIdentifier(from.serial.name)}`]
  return []
}

/** A sequence stays, with other options; or the column is still an identity, of the other kind. */
function keepNumbering(start: string, from: Column, to: Column): readonly string[] {
  if (from.serial !== null && to.serial !== null) return alterSequence(from.serial, to.serial)
  if (from.identity === null || to.identity === null) return []
  const kind = to.identity.always ? 'ALWAYS' : 'BY DEFAULT'
  return [
    ...(from.identity.always === to.identity.always ? [] : [`${start} SET GENERATED ${kind}`]),
    // With the type of the column its own sequence changes too.
    ...(from.type === to.type ? alterSequence(from.identity.sequence, to.identity.sequence) : []),
  ]
}

function alterSequence(from: Sequence, to: Sequence): readonly string[] {
  if (from.options === to.options) return []
  const name = quoteIdentifier(to.name)
  const isTypeOnly = [from, to].every(({ options }) => /^(?:AS \w+)?$/.test(options))
  if (isTypeOnly) return [`ALTER SEQUENCE ${name} ${to.options === '' ? 'AS bigint' : to.options}`]
  return [
    // What is not said stays as it was, so all of it is said once.
    `ALTER SEQUENCE ${name} AS bigint INCREMENT BY 1 NO MINVALUE NO MAXVALUE START WITH 1 CACHE 1 NO CYCLE`,
    ...(to.options === '' ? [] : [`ALTER SEQUENCE ${name} ${to.options}`]),
  ]
}

function beginSerial(table: string, start: string, to: Column, serial: Sequence): readonly string[] {
  return [
    createOwned(serial),
    own(table, to.name, serial),
    `${start} SET DEFAULT ${nextValueOf(serial)}`,
    ...goOn(table, to),
  ]
}

/** The rows that are there have their numbers already; the next one must get another. */
function goOn(table: string, { name, serial, identity }: Column): readonly string[] {
  const sequence = serial ?? identity?.sequence
  if (sequence === undefined) return []
  const next = `coalesce(max(${quoteIdentifier(name)}), 0) + 1`
  return [
    `SELECT setval(${quoteText(quoteIdentifier(sequence.name))}, ${next}, false) FROM ${quoteIdentifier(table)}`,
  ]
}
