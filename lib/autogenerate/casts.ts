/** How the rows of a column come to another type. Pure. */
import { quoteIdentifier } from '../sql.ts'
import type { Column } from './snapshot.ts'

type Family = 'number' | 'text' | 'time' | 'json' | 'network' | 'bits'

const FAMILIES: Readonly<Record<string, Family>> = {
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  numeric: 'number',
  real: 'number',
  'double precision': 'number',
  'character varying': 'text',
  character: 'text',
  text: 'text',
  date: 'time',
  'timestamp with time zone': 'time',
  'timestamp without time zone': 'time',
  json: 'json',
  jsonb: 'json',
  inet: 'network',
  cidr: 'network',
  bit: 'bits',
  'bit varying': 'bits',
}

interface Kind {
  /** Without length, precision and brackets. */
  readonly base: string
  readonly isArray: boolean
  readonly family: Family | undefined
}

function kindOf({ type, enum: own, isArray }: Column): Kind {
  const element = type.replace(/\[\]$/, '')
  // timestamp(3) with time zone: the precision stands inside.
  const base = element.replace(/\([^)]*\)/, '')
  return { base, isArray, family: own === null ? FAMILIES[base] : undefined }
}

/**
 * The expression of USING that makes `from`'s values into `to`'s; `null` where the server's own assignment does it.
 * That is taken wherever there is one: it fails on a text that is too long, which an explicit cast would cut.
 */
export function castOf(from: Column, to: Column): string | null {
  const before = kindOf(from)
  const after = kindOf(to)
  const name = quoteIdentifier(to.name)
  if (before.isArray === after.isArray) {
    if (from.enum === to.enum && before.base === after.base) return null
    if (before.family !== undefined && before.family === after.family) return null
    const array = before.isArray ? '[]' : ''
    if (before.base === 'boolean' && after.family === 'number') return `${name}::integer${array}::${to.type}`
    if (before.family === 'number' && after.base === 'boolean') return `${name}::integer${array}::${to.type}`
    // Anything can be assigned to a text; an array of it cannot.
    if (after.family === 'text' && !after.isArray) return null
    if (before.family === 'text') return `${name}::${to.type}`
    return `${name}::text${array}::${to.type}`
  }
  if (after.family === 'text' && !after.isArray) return null
  return before.family === 'text' && !before.isArray ? `${name}::${to.type}` : `${name}::text::${to.type}`
}
