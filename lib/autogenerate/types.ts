/** Types by their names, as `format_type` prints them. */
import type { Column } from './snapshot.ts'

/** `character varying(255)` without its length, `timestamp(3) with time zone` without its precision. */
export function baseOf(type: string): string {
  // In a quoted name a parenthesis is a letter.
  return type.includes('"') ? type : type.replace(/\(-?\d+(?:,-?\d+)?\)/, '')
}

/** Length or precision and scale: `numeric(10,2)` has 10 and 2. */
export function modifiersOf(type: string): readonly number[] {
  const modifiers = type.includes('"') ? undefined : /\((-?\d+(?:,-?\d+)?)\)/.exec(type)?.[1]
  return modifiers?.split(',').map(Number) ?? []
}

/** Whether the values themselves become others, not only how long they may be. */
export function isRetyped(from: Column, to: Column): boolean {
  return baseOf(from.type) !== baseOf(to.type) || from.collation !== to.collation
}
