/**
 * Statements inside of functions and DO blocks: in SQL they are the text itself, in PL/pgSQL its own parser finds them.
 * It tells the texts of statements and expressions and not where they stand, so they are looked for.
 */
import { FILLER } from './finding.ts'
import { constant, isFields, list, fieldsOf, text, words, type Fields } from './sql-tree.ts'

/** A function's or DO block's code. */
export interface Body {
  readonly text: string
  readonly language: string
  /** The byte after which the statement has it. */
  readonly offset: number
  /** It is defined here and runs later, perhaps outside the run's transaction. */
  readonly isFunction: boolean
}

/** The code in a statement that defines or runs some. */
export function bodyOf(tag: string, fields: Fields): Body | undefined {
  if (tag !== 'CreateFunctionStmt' && tag !== 'DoStmt') return undefined
  const options = list(fields['options'] ?? fields['args']).map((each) => fieldsOf(each, 'DefElem'))
  const option = (name: string) => options.find((each) => each?.['defname'] === name)
  const code = option('as')
  const [body, library] = code === undefined ? [] : [...words(code['arg']), ...words([code['arg']])]
  if (code === undefined || body === undefined || library !== undefined) return undefined
  const language = words([option('language')?.['arg']])[0]?.toLowerCase()
  return {
    text: body,
    language: language ?? (tag === 'DoStmt' ? 'plpgsql' : 'sql'),
    offset: Number(code['location'] ?? 0),
    isFunction: tag === 'CreateFunctionStmt',
  }
}

/** A piece of PL/pgSQL: `text` is what to parse, its first character at `index` of the body less `added`. */
export interface Piece {
  readonly text: string
  readonly index: number
  /** Characters of `text` that the body does not have before it. */
  readonly added: number
  /** A string that will run as a statement: all of it stands at `index`. */
  readonly isDynamic: boolean
}

/** The statements and expressions in the tree of a PL/pgSQL function, in the order of its source. */
export function piecesOf(tree: unknown, body: string): readonly Piece[] {
  const pieces: Piece[] = []
  let cursor = 0
  const locate = (wanted: string) => {
    const index = indexOfWords(body, wanted, cursor) ?? indexOfWords(body, wanted, 0)
    if (index !== undefined) cursor = index
    return index
  }
  visit(tree, '', '')
  return pieces

  function visit(value: unknown, tag: string, key: string): void {
    if (Array.isArray(value)) {
      for (const each of value) visit(each, tag, key)
    } else if (isFields(value)) {
      for (const [name, inner] of Object.entries(value)) {
        if (name === 'PLpgSQL_expr' && isFields(inner)) add(inner, tag, key)
        else if (name === 'PLpgSQL_type' && isFields(inner)) addType(text(inner['typname']))
        else if (name.startsWith('PLpgSQL_')) visit(inner, name, '')
        else visit(inner, tag, name)
      }
    }
  }

  function add(expression: Fields, tag: string, key: string): void {
    const query = text(expression['query'])
    const isDynamic = key === 'dynquery' || (key === 'query' && tag.startsWith('PLpgSQL_stmt_dyn'))
    if (tag === 'PLpgSQL_stmt_perform') addPiece(query.slice('SELECT '.length), 'SELECT ', isDynamic)
    else if (expression['parseMode'] === undefined || expression['parseMode'] === 0)
      addPiece(query, '', isDynamic)
    else if (expression['parseMode'] === 2) addPiece(query, 'SELECT ', isDynamic)
    // An assignment: what is right of its sign.
    else addPiece(query.replace(/^[^=]*=/, ''), 'SELECT ', isDynamic)
  }

  function addPiece(source: string, before: string, isDynamic: boolean): void {
    pieces.push({ text: before + source, index: locate(source) ?? 0, added: before.length, isDynamic })
  }

  /** A variable's type, as an expression that names it; `users%ROWTYPE` is the type of that name. */
  function addType(type: string): void {
    const [name = '', kind] = type.split('%')
    // Of table.column%TYPE and schema.table.column%TYPE the table is what may name a schema.
    const own = kind?.toUpperCase() === 'TYPE' ? name.slice(0, name.lastIndexOf('.')) : name
    if (own.includes('.')) addPiece(own, 'SELECT NULL::', false)
  }
}

/** Where `body` has `wanted` from `start` on; white space in `wanted` stands for anything: INTO was cut out there. */
function indexOfWords(body: string, wanted: string, start: number): number | undefined {
  const first = wanted.search(/\S/)
  if (first === -1) return undefined
  for (
    let at = body.indexOf(wanted.charAt(first), start);
    at !== -1;
    at = body.indexOf(wanted.charAt(first), at + 1)
  ) {
    const begin = at - first
    let same = begin >= 0
    for (let index = first; same && index < wanted.length; index++) {
      same = /\s/.test(wanted.charAt(index)) || wanted[index] === body[begin + index]
    }
    if (same) return begin
  }
  return undefined
}

/** The statement an expression of EXECUTE makes, with letters for what only the run knows; none if it is no text. */
export function dynamicStatement(expression: unknown): string | undefined {
  const said = constant(expression)
  if (said !== undefined) return said
  const join = fieldsOf(expression, 'A_Expr')
  if (join !== undefined && words(join['name']).at(-1) === '||') {
    const [left, right] = [dynamicStatement(join['lexpr']), dynamicStatement(join['rexpr'])]
    return left === undefined && right === undefined ? undefined : (left ?? FILLER) + (right ?? FILLER)
  }
  const call = fieldsOf(expression, 'FuncCall')
  if (call === undefined || words(call['funcname']).at(-1) !== 'format') return undefined
  const format = constant(list(call['args'])[0])
  return format?.replace(/%(?:\d+\$)?-?(?:\d+|\*(?:\d+\$)?)?([sIL%])/g, (_all, kind: string) =>
    kind === '%' ? '%' : FILLER,
  )
}
