/**
 * What a statement allows to be done around it, told from its first words. The lists name what is known to be
 * safe; everything unknown takes the careful way.
 */

/**
 * - `control`: transaction control and the like. It resolves no names, and must work in an aborted
 *   transaction, where any other statement is refused.
 * - `begin`: opens a transaction.
 * - `batch`: may share an implicit transaction with a statement before it.
 * - `alone`: may not, or is not known to: CREATE INDEX CONCURRENTLY, VACUUM, CALL …
 */
export type StatementKind = 'control' | 'begin' | 'batch' | 'alone'

const BEGIN = /^(?:start\s+transaction|begin)\b/i
const CONTROL =
  /^(?:commit|rollback|end|abort|savepoint|release|set\s+(?:local\s+)?(?:transaction|session\s+characteristics)|deallocate|listen|unlisten|notify)\b/i
const CONCURRENTLY =
  /^(?:(?:create\s+(?:unique\s+)?index|drop\s+index)\s+concurrently\b|alter\s+table\b[^;]*\bdetach\s+partition\b[^;]*\bconcurrently\b)/i
const BATCH =
  /^(?:select|insert|update|delete|with|merge|values|table|truncate|comment|grant|revoke|explain|show|(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:unique\s+)?(?:unlogged\s+|temp(?:orary)?\s+)?(?:table|index|type|schema|sequence|view|function|procedure|trigger|domain|policy))\b/i

/** What nearly all statements of an application begin with, as Sequelize writes it. */
const PLAIN = /^(?:SELECT|INSERT|UPDATE|DELETE) /

const INTO_TEMPORARY = /\binto\s+(?:\w+\s+)?temp/i

/**
 * Whether `text` is one statement that reads or writes rows and leaves nothing on its connection: a `batch`, which need
 * not be looked at any further.
 */
export function isOrdinary(text: string): boolean {
  if (!PLAIN.test(text)) return false
  const semicolon = text.indexOf(';')
  return (semicolon === -1 || semicolon === text.length - 1) && !INTO_TEMPORARY.test(text)
}

export function kindOfStatement(text: string): StatementKind {
  if (PLAIN.test(text)) return 'batch'
  const statement = withoutLeadingComments(text)
  if (BEGIN.test(statement)) return 'begin'
  // What comes after LISTEN or NOTIFY in the same text does resolve names.
  if (CONTROL.test(statement)) return isOne(statement) ? 'control' : 'batch'
  return BATCH.test(statement) && !CONCURRENTLY.test(statement) ? 'batch' : 'alone'
}

function isOne(statement: string): boolean {
  const semicolon = statement.indexOf(';')
  return semicolon === -1 || semicolon === statement.length - 1 || splitStatements(statement).length === 1
}

/** A carriage return alone ends a line comment, too. */
const LINE_END = /[\n\r]/g

/** `text` from its first word on. Block comments nest in PostgreSQL. */
export function withoutLeadingComments(text: string): string {
  let at = 0
  for (;;) {
    while (at < text.length && /[\s;(]/.test(text.charAt(at))) at++
    if (text.startsWith('--', at)) {
      LINE_END.lastIndex = at
      const end = LINE_END.exec(text)
      if (end === null) return ''
      at = end.index + 1
    } else if (text.startsWith('/*', at)) {
      at = endOfBlockComment(text, at)
    } else {
      return at === 0 ? text : text.slice(at)
    }
  }
}

const MAY_STAY = /\btemp|\bhold\b|\brole\b|\bauthorization\b/i
const STAYS =
  /^(?:create\s+(?:or\s+replace\s+)?(?:(?:global|local)\s+)?temp(?:orary)?\b(?!.*\bon\s+commit\s+drop\b)|declare\b.*\bwith\s+hold\b|set\s+(?:session\s+)?role\b|set\s+session\s+authorization\b|(?:select|with)\b.*\binto\s+(?:(?:local|global)\s+)?temp(?:orary)?\b)/is
const CONSTANT = /^(?:e?'|--|\/\*|\$(?!\d)|")/i

/**
 * Whether what a text does stays on the connection after its transaction, where the next tenant would meet it: a
 * temporary table, a cursor WITH HOLD, a role.
 */
export function staysOnConnection(text: string): boolean {
  if (isOrdinary(text) || !MAY_STAY.test(text)) return false
  return splitStatements(text).some((statement) =>
    STAYS.test(
      withoutLeadingComments(
        tokensOf(statement)
          .filter((token) => !CONSTANT.test(token))
          .join(''),
      ),
    ),
  )
}

/** Whether `text` reads or writes rows and nothing else: it takes a snapshot of its own. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

const LASTS_UNTIL_COMMIT =
  /\bset\s+(?:local|constraints)\b|\bset_config\s*\([^;]*?,\s*(?:true|'(?:t|true|on|yes|1)')\s*\)|\bon\s+commit\s+(?:drop|delete)\b/i
const DEFINES_FUNCTION = /^create\s+(?:or\s+replace\s+)?(?:function|procedure)\b/i

/** Whether what a text does ends with the transaction: a local setting, a temporary table of the transaction's. */
export function lastsUntilCommit(text: string): boolean {
  if (!LASTS_UNTIL_COMMIT.test(text)) return false
  return splitStatements(text).some(
    (statement) =>
      LASTS_UNTIL_COMMIT.test(statement) && !DEFINES_FUNCTION.test(withoutLeadingComments(statement)),
  )
}

const CONTROLS_TRANSACTION =
  /^(?:begin|start\s+transaction|commit|abort|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b)|prepare\s+transaction)\b/i

/** Whether a text begins or ends a transaction, in any of its statements; savepoints are no matter of it. */
export function controlsTransaction(text: string): boolean {
  // Most texts do not even mention it, and need not be taken apart.
  if (!/\b(?:begin|start|commit|abort|rollback|prepare)\b/i.test(text)) return false
  return splitStatements(text).some(isTransactionControl)
}

function isTransactionControl(statement: string): boolean {
  return CONTROLS_TRANSACTION.test(withoutLeadingComments(statement))
}

/** `END` may close a function's body; where it does not, it is COMMIT. */
const ENDS_PATH =
  /^(?:begin|start\s+transaction|commit|end|abort|rollback|prepare\s+transaction|savepoint|release)\b/i
const BEGINS_BODY = /\bbegin\s+atomic\b/i

/**
 * The parts of a text that has transaction control between other statements: each control statement alone, and
 * what stands between two of them together. `undefined` for any other text, which is sent as it is.
 */
export function splitAtTransactionControl(text: string): readonly string[] | undefined {
  // Without a semicolon before its end it is one statement.
  const semicolon = text.indexOf(';')
  if (semicolon === -1 || semicolon === text.length - 1) return undefined
  if (!/\b(?:begin|start|commit|end|abort|rollback|prepare|savepoint|release)\b/i.test(text)) return undefined
  const statements = splitStatements(text)
  if (statements.length === 1) return undefined
  const parts: { text: string; isControl: boolean }[] = []
  let isInBody = false
  for (const statement of statements) {
    const bare = withoutLeadingComments(statement)
    const isControl = !isInBody && ENDS_PATH.test(bare)
    if (isInBody) isInBody = !/^end\b/i.test(bare)
    else isInBody = DEFINES_FUNCTION.test(bare) && BEGINS_BODY.test(bare)
    const last = parts.at(-1)
    if (last === undefined || last.isControl || isControl) parts.push({ text: statement, isControl })
    else last.text += `;${statement}`
  }
  return parts.some(({ isControl }) => isControl) ? parts.map((part) => part.text) : undefined
}

/**
 * What a semicolon may stand in without ending a statement, a word, or one character. A constant with escapes goes on
 * on the next line, with escapes.
 */
const TOKEN =
  /\$\d+|--[^\n\r]*|\/\*|\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|e'(?:[^'\\]|\\.|'')*'(?:(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*'(?:[^'\\]|\\.|'')*')*|'(?:[^']|'')*'|"(?:[^"]|"")*"|[a-z_\u0080-\uffff][\w$\u0080-\uffff]*|./isy

/** The statements of a text, one by one, for those that may not share a message. */
export function splitStatements(text: string): readonly string[] {
  const statements = ['']
  for (const token of tokensOf(text)) {
    if (token === ';') statements.push('')
    else statements[statements.length - 1] += token
  }
  return statements.filter((statement) => withoutLeadingComments(statement) !== '')
}

/** A text in pieces that belong together: constants, comments, names, parameters `$1`, single characters. */
export function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at
    const end = endOfToken(text, at, TOKEN.exec(text)?.[0] ?? text.charAt(at))
    tokens.push(text.slice(at, end))
    at = end
  }
  return tokens
}

function endOfToken(text: string, at: number, token: string): number {
  if (token === '/*') return endOfBlockComment(text, at)
  const end = at + token.length
  if (!/^\$.*\$$/s.test(token)) return end
  const closing = text.indexOf(token, end)
  return closing === -1 ? text.length : closing + token.length
}

function endOfBlockComment(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('/*', at)) {
      depth++
      at++
    } else if (text.startsWith('*/', at)) {
      depth--
      at++
      if (depth === 0) return at + 1
    }
  }
  return text.length
}
