/** Words of an expression as they will be once PostgreSQL has read and printed them again. */

/**
 * `(ARRAY[a, b])::text[]` as `ARRAY[(a)::text, (b)::text]`, which is what it becomes when it is read again; printed
 * "pretty", as of indexes, without the parentheses.
 */
export function withCastsInside(words: readonly string[]): readonly string[] {
  const result: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const end = word === 'ARRAY' && words[at + 1] === '[' ? closing(words, at + 1) : -1
    if (end === -1) {
      result.push(word)
      continue
    }
    const elements = elementsOf(words.slice(at + 2, end)).map(withCastsInside)
    // A word before the parenthesis makes it that of a call, which is no part of a cast.
    const isWrapped = result.at(-1) === '(' && words[end + 1] === ')' && !/[\w"]$/.test(result.at(-2) ?? '')
    const type = arrayTypeAt(words, isWrapped ? end + 2 : end + 1)
    if (type === undefined) {
      result.push('ARRAY', '[', ...joined(elements), ']')
      at = end
      continue
    }
    const cast = (element: readonly string[]) =>
      isWrapped ? ['(', ...element, ')', '::', ...type] : [...element, '::', ...type]
    if (isWrapped) result.pop()
    result.push('ARRAY', '[', ...joined(elements.map(cast)), ']')
    at = end + (isWrapped ? 1 : 0) + 1 + type.length + 2
  }
  return result
}

/** The type of the elements in `::character varying[]` at a place. */
function arrayTypeAt(words: readonly string[], at: number): readonly string[] | undefined {
  if (words[at] !== '::') return undefined
  const end = words.indexOf('[', at)
  const type = end === -1 ? [] : words.slice(at + 1, end)
  const isType = type.length > 0 && type.every((word) => /^(?:[\w\u0080-\uffff]+|"[^]*"|[.(),])$/.test(word))
  return isType && words[end + 1] === ']' ? type : undefined
}

/** Where the bracket at `open` ends. */
export function closing(words: readonly string[], open: number): number {
  let depth = 0
  for (let at = open; at < words.length; at++) {
    if (words[at] === '[') depth++
    else if (words[at] === ']' && --depth === 0) return at
  }
  return -1
}

/** What stands between commas that are in no parentheses. */
export function elementsOf(words: readonly string[]): readonly (readonly string[])[] {
  const elements: string[][] = words.length === 0 ? [] : [[]]
  let depth = 0
  for (const word of words) {
    if (word === '(' || word === '[') depth++
    else if (word === ')' || word === ']') depth--
    if (word === ',' && depth === 0) elements.push([])
    else elements.at(-1)?.push(word)
  }
  return elements
}

function joined(elements: readonly (readonly string[])[]): readonly string[] {
  return elements.flatMap((element, position) => (position === 0 ? element : [',', ...element]))
}

/**
 * `((a AND b) AND c)` as `(a AND b AND c)`: PostgreSQL makes one list of the first conditions when it reads them, but
 * not of those that BETWEEN stands for. Order and meaning are the same.
 */
export function withoutNesting(words: readonly string[]): readonly string[] {
  const groups = groupsOf(words)
  const superfluous = new Set<number>()
  for (const { open, close, operator, parent } of groups) {
    if (operator === undefined || parent?.operator !== operator) continue
    const isOperand =
      ['(', operator, 'WHERE', undefined].includes(words[open - 1]) &&
      [')', operator, undefined].includes(words[close + 1])
    if (isOperand) superfluous.add(open).add(close)
  }
  return words.filter((_, at) => !superfluous.has(at))
}

interface Group {
  readonly open: number
  close: number
  /** The one that joins everything in it. */
  operator: string | undefined
  readonly parent: Group | undefined
}

/** What stands in parentheses, each within another or in the whole. */
function groupsOf(words: readonly string[]): readonly Group[] {
  const whole: Group = { open: -1, close: words.length, operator: undefined, parent: undefined }
  const groups: Group[] = []
  const mixed = new Set<Group>()
  let group = whole
  words.forEach((word, at) => {
    if (word === '(') {
      group = { open: at, close: words.length, operator: undefined, parent: group }
      groups.push(group)
    } else if (word === ')') {
      group.close = at
      group = group.parent ?? whole
    } else if (word === 'AND' || word === 'OR') {
      if (group.operator !== undefined && group.operator !== word) mixed.add(group)
      group.operator = word
    }
  })
  for (const each of mixed) each.operator = undefined
  return groups
}
