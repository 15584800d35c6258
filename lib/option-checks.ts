/** Checks of single options: each answers with the value, or throws what was expected and what was found. */
import { TenancyError } from './errors.ts'

export function file(option: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw invalid(option, 'the path of a file', value)
}

export function globs(
  option: string,
  value: string | readonly string[] | undefined,
  fallback: string,
): readonly string[] {
  const list = typeof value === 'string' ? [value] : (value ?? [fallback])
  if (Array.isArray(list) && list.every((glob) => typeof glob === 'string' && glob !== '')) return list
  throw invalid(option, 'a glob or an array of globs', value)
}

/** An empty environment variable is one that is not set. A wrong URL is not shown: it may hold a password. */
export function postgresUrl(option: string, value: string | undefined, variable: string): string | undefined {
  const url: unknown = value ?? (process.env[variable] || undefined)
  if (url === undefined) return undefined
  if (typeof url === 'string' && /^postgres(?:ql)?:\/\//.test(url)) return url
  const found = typeof url === 'string' ? 'another text' : show(url)
  const expected = 'a URL that begins with postgres://'
  throw value === undefined
    ? mustBe(option, expected, `${found} (in ${variable})`, `correct the environment variable ${variable}`)
    : mustBe(option, expected, found)
}

export function withMethods<T extends object>(
  option: string,
  value: T | undefined,
  methods: readonly string[],
  expected = `an object with ${methods.join(', ')}`,
): T | undefined {
  if (value === undefined || hasMethods(value, methods)) return value
  throw invalid(option, expected, value)
}

export function hasMethods(value: unknown, methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return methods.every((method) => typeof Reflect.get(value, method) === 'function')
}

/** A group of options, none of its keys misspelt. */
export function section<T extends object>(
  option: string,
  value: T | undefined,
  keys: readonly string[],
): Partial<T> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(option, `an object with ${keys.join(', ')}`, value)
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw unknownOption(`${option}.${unknown}`, keys)
  return value
}

export function oneOf<const T extends string>(
  option: string,
  value: T | undefined,
  allowed: readonly [T, ...T[]],
): T {
  if (value === undefined) return allowed[0]
  if (allowed.includes(value)) return value
  throw invalid(option, allowed.map((each) => `'${each}'`).join(' or '), value)
}

export function count(
  option: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  const result = value ?? fallback
  if (Number.isInteger(result) && result >= least && result <= most) return result
  throw invalid(option, `a whole number from ${least} to ${most}`, value)
}

export function invalid(option: string, expected: string, found: unknown): TenancyError {
  return mustBe(option, expected, show(found))
}

function mustBe(
  option: string,
  expected: string,
  found: string,
  fix = `correct ${option} in the configuration`,
): TenancyError {
  return new TenancyError('CONFIG_INVALID', `Option "${option}" must be ${expected}; it is ${found}.`, {
    fix: [fix],
  })
}

export function unknownOption(option: string, known: readonly string[]): TenancyError {
  return new TenancyError('CONFIG_INVALID', `Option "${option}" is unknown.`, {
    detail: `known are ${known.join(', ')}`,
    fix: [`correct or remove ${option} in the configuration`],
  })
}

/** What was found, short: an object may be large, circular or secret. */
function show(found: unknown): string {
  if (typeof found === 'string') return JSON.stringify(found)
  if (Array.isArray(found)) return `[${found.map(show).join(', ')}]`
  if (typeof found === 'function') return 'a function'
  return typeof found === 'object' && found !== null ? 'an object' : String(found)
}
