/**
 * PostgreSQL's parse tree as data, and ways through it. A node is `{ Tag: fields }` where the grammar leaves its kind
 * open, and only its fields where it does not; both come out of `walk` with their tag.
 */

export type Fields = Readonly<Record<string, unknown>>

/** @returns `false` to stay out of what is inside the node. */
export type Visitor = (tag: string, node: Fields) => boolean | void

/** Calls `visit` for every node in `tree`, outside before inside, as the statement is written for the most part. */
export function walk(tree: unknown, visit: Visitor): void {
  if (Array.isArray(tree)) {
    for (const each of tree) walk(each, visit)
  } else if (isFields(tree)) {
    const tag = bareTagOf(tree)
    if (tag !== undefined && visit(tag, tree) === false) return
    for (const [key, value] of Object.entries(tree)) {
      if (typeof value !== 'object') continue
      if (!isTag(key)) walk(value, visit)
      else if (isFields(value)) walkTagged(key, value, visit)
    }
  }
}

function walkTagged(tag: string, node: Fields, visit: Visitor): void {
  if (visit(tag, node) === false) return
  for (const value of Object.values(node)) if (typeof value === 'object') walk(value, visit)
}

function isTag(key: string): boolean {
  return /^[A-Z]/.test(key)
}

/** The kind of a node that stands without its tag, by the fields that only this kind has. */
function bareTagOf(node: Fields): string | undefined {
  if ('relname' in node && 'relpersistence' in node) return 'RangeVar'
  if ('names' in node && 'typemod' in node) return 'TypeName'
  if ('limitOption' in node && 'op' in node) return 'SelectStmt'
  if ('objname' in node) return 'ObjectWithArgs'
  if ('collname' in node && 'location' in node) return 'CollateClause'
  if (typeof node['kind'] === 'string' && node['kind'].startsWith('VAR_')) return 'VariableSetStmt'
  return undefined
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields of `value` if it is a node of this kind. */
export function fieldsOf(value: unknown, tag: string): Fields | undefined {
  const fields = isFields(value) ? value[tag] : undefined
  return isFields(fields) ? fields : undefined
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The words of a name, `public.users` as two; nothing else that may stand between, as the star of `users.*`. */
export function words(value: unknown): readonly string[] {
  const items = fieldsOf(value, 'List')?.['items'] ?? value
  return list(items).flatMap((item) => {
    const word = fieldsOf(item, 'String')?.['sval']
    return typeof word === 'string' ? [word] : []
  })
}

/** What a string constant says. */
export function constant(value: unknown): string | undefined {
  const fields = fieldsOf(value, 'A_Const')
  if (fields === undefined || !isFields(fields['sval'])) return undefined
  return text(fields['sval']['sval'])
}

/** The words of a column: `c.oid` as two. */
export function column(value: unknown): readonly string[] | undefined {
  const fields = fieldsOf(value, 'ColumnRef')
  return fields === undefined ? undefined : words(fields['fields'])
}

/** Where a node begins, in bytes, if the tree knows. */
export function location(fields: Fields): number | undefined {
  const offset = fields['location']
  return typeof offset === 'number' && offset >= 0 ? offset : undefined
}

/** The schema in a name as it is written in a text: `public."Users"`. None in a bare name. */
export function schemaInText(name: string): string | undefined {
  const match = /^\s*(?:"((?:[^"]|"")+)"|([^\s".()']+))\s*\.\s*[^\s.]/.exec(name)
  if (match === null) return undefined
  return match[1]?.replaceAll('""', '"') ?? match[2]?.toLowerCase()
}
