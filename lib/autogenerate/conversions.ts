/** What a change of type means for the values that are there. What is not known is taken for the worse. */
import type { Column } from './snapshot.ts'
import { baseOf, modifiersOf } from './types.ts'

export interface Conversion {
  /** Every row is written anew. */
  readonly rewrites: boolean
  /** A value may have no counterpart, and the statement fails. */
  readonly mayFail: boolean
  /** Values become others without a word. */
  readonly losesValues: boolean
  /** Who reads and writes it must know the new type. */
  readonly breaksCode: boolean
}

const NONE: Conversion = { rewrites: false, mayFail: false, losesValues: false, breaksCode: false }
const REWRITE: Conversion = { ...NONE, rewrites: true }

export function conversionOf(from: Column, to: Column): Conversion {
  if (from.type === to.type) return NONE
  if (from.isArray && to.isArray) {
    // Elements are converted as single values are, but never in place.
    return { ...convert(from.type.slice(0, -2), to.type.slice(0, -2), from, to), rewrites: true }
  }
  if (from.isArray !== to.isArray)
    return { rewrites: true, mayFail: to.type !== 'text', losesValues: false, breaksCode: true }
  return convert(from.type, to.type, from, to)
}

function convert(fromType: string, toType: string, from: Column, to: Column): Conversion {
  const [before, after] = [baseOf(fromType), baseOf(toType)]
  if (isText(before) && isText(after)) return texts(fromType, toType)
  if (before === after) return sameBase(before, modifiersOf(fromType), modifiersOf(toType))
  if (after === 'text' || toType === 'character varying')
    return { ...REWRITE, breaksCode: from.enum === null }
  const [narrow, wide] = [NUMBERS.indexOf(before), NUMBERS.indexOf(after)]
  if (narrow !== -1 && wide !== -1) return numbers(before, after, modifiersOf(toType), narrow < wide)
  if (narrow !== -1 && after === 'boolean')
    return { ...REWRITE, mayFail: true, losesValues: true, breaksCode: true }
  if (before === 'cidr' && after === 'inet') return NONE
  if (before === 'inet' && after === 'cidr') return { ...REWRITE, losesValues: true } // bits of the host
  if (before === 'date' && after.startsWith('timestamp')) return { ...REWRITE, breaksCode: true }
  if (
    before.startsWith('timestamp') &&
    (after.startsWith('timestamp') || after === 'date' || after.startsWith('time'))
  ) {
    return { rewrites: true, mayFail: false, losesValues: true, breaksCode: true }
  }
  // Of JSON the order of keys and those that come twice are lost, which nobody may rely on.
  if (before === 'json' && after === 'jsonb') return { ...REWRITE, mayFail: true }
  if (before === 'jsonb' && after === 'json') return REWRITE
  return {
    rewrites: true,
    mayFail: true,
    losesValues: false,
    breaksCode: from.enum === null || to.enum === null,
  }
}

/** From narrow to wide; numeric holds all of the whole numbers before it, the floating ones come after. */
const NUMBERS = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision']

function numbers(before: string, after: string, modifiers: readonly number[], isWider: boolean): Conversion {
  const isWhole = (type: string) => NUMBERS.indexOf(type) <= 2
  const breaksCode = !(isWhole(before) && isWhole(after))
  if (isWhole(before) && isWhole(after)) return { ...REWRITE, mayFail: !isWider, breaksCode }
  if (isWhole(before) && after === 'numeric') return { ...REWRITE, mayFail: modifiers.length > 0, breaksCode }
  if (before === 'real' && after === 'double precision') return { ...REWRITE, breaksCode: false }
  // Between binary and decimal, and from fractions to whole numbers, digits go; a large number may not fit.
  return { rewrites: true, mayFail: true, losesValues: true, breaksCode }
}

function isText(type: string): boolean {
  return type === 'text' || type === 'character varying' || type === 'character'
}

function texts(fromType: string, toType: string): Conversion {
  const [before, after] = [modifiersOf(fromType)[0], modifiersOf(toType)[0]]
  const isPadded = baseOf(fromType) === 'character' || baseOf(toType) === 'character'
  // `character` without a length is one of 1, which format_type says.
  const fits = after === undefined || (before !== undefined && before <= after)
  return { rewrites: isPadded || !fits, mayFail: !fits, losesValues: isPadded && !fits, breaksCode: false }
}

/** Only the length or the precision is another one. */
function sameBase(base: string, before: readonly number[], after: readonly number[]): Conversion {
  if (base === 'numeric') {
    if (after[0] === undefined) return NONE
    const [digits = Infinity, scale = 0] = before
    const [newDigits, newScale = 0] = after
    // Without a precision there may be any number of digits on either side of the point.
    const isBounded = before.length > 0
    const isFree = isBounded && scale === newScale && digits <= newDigits
    return {
      rewrites: !isFree,
      mayFail: !isBounded || newDigits - newScale < digits - scale,
      losesValues: !isBounded || newScale < scale,
      breaksCode: false,
    }
  }
  const [length] = before
  const [newLength] = after
  const isWider = newLength === undefined || (length !== undefined && length <= newLength)
  if (isWider && base !== 'bit') return NONE
  const isTime = base.startsWith('time') || base === 'interval'
  return { rewrites: true, mayFail: !isTime, losesValues: isTime, breaksCode: false }
}
