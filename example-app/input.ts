/** What a request says, checked: the members of its body, query or path, or a refusal that names the wrong one. */
import type { Request } from 'express'
import type { FindOptions, Model, ModelStatic } from 'sequelize'

import { Refusal } from './errors.ts'

/** The largest number an `integer` of PostgreSQL holds. */
const MAX_INTEGER = 2 ** 31 - 1

export class Input {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: unknown) {
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw invalid('The body must be a JSON object, sent as application/json.')
    this.#values = { ...values }
  }

  text(name: string, most = Infinity): string {
    const value = this.optionalText(name, most)
    if (value === null || value === '') throw invalid(`${name} is required.`)
    return value
  }

  optionalText(name: string, most = Infinity): string | null {
    const value = this.#values[name] ?? null
    if (value === null) return null
    // PostgreSQL stores no NUL, and Sequelize would store something else in its place.
    if (typeof value === 'string' && value.length <= most && !value.includes('\0')) return value
    throw invalid(`${name} must be a text${most === Infinity ? '' : ` of at most ${most} characters`}.`)
  }

  integer(name: string, { most = MAX_INTEGER, fallback }: { most?: number; fallback?: number } = {}): number {
    const value = this.optionalInteger(name, most) ?? fallback
    if (value === undefined) throw invalid(`${name} is required.`)
    return value
  }

  optionalInteger(name: string, most = MAX_INTEGER): number | null {
    const value = this.#values[name] ?? null
    return value === null ? null : toInteger(name, value, most)
  }

  integers(name: string): readonly number[] {
    const values = this.#values[name] ?? []
    if (!Array.isArray(values)) throw invalid(`${name} must be an array.`)
    return [...new Set(values.map((value: unknown) => toInteger(name, value, MAX_INTEGER)))]
  }
}

/** A query says numbers in digits, a body may do so. */
function toInteger(name: string, value: unknown, most: number): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= most) return number
  throw invalid(`${name} must be a whole number from 1 to ${most}.`)
}

function invalid(title: string): Refusal {
  return new Refusal(422, 'VALIDATION_FAILED', title)
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly page: number
  readonly pageSize: number
  readonly total: number
}

/** The page of `model`'s rows that `?page=1&pageSize=20` asks for. */
export async function listPage<M extends Model>(
  model: ModelStatic<M>,
  request: Request,
  options: FindOptions = {},
): Promise<Page<M>> {
  const query = new Input(request.query)
  const page = query.integer('page', { fallback: 1, most: 1_000_000 })
  const pageSize = query.integer('pageSize', { fallback: 20, most: 100 })
  const { rows, count } = await model.findAndCountAll({
    order: [['id', 'ASC']],
    ...options,
    distinct: true, // counts roles, not the rows of roles joined with permissions
    limit: pageSize,
    offset: (page - 1) * pageSize,
  })
  return { items: rows, page, pageSize, total: count }
}
