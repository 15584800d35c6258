/** Names as PostgreSQL makes them up, and texts as SQL spells them. Pure. */

/** The longest name PostgreSQL keeps, in bytes; a longer one is cut there. */
const MAX_NAME_BYTES = 63

/** `text` cut to `bytes` bytes of UTF-8, never inside a character. */
export function clip(text: string, bytes = MAX_NAME_BYTES): string {
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  let end = bytes
  // A byte 10xxxxxx goes on with the character before it.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--
  return encoded.subarray(0, end).toString()
}

/**
 * The name that PostgreSQL gives to what it makes for a table's column: `table_column_label`. Where that is too long
 * it shortens the longer of the two, byte by byte, until it fits (makeObjectName in its source).
 */
export function madeUpName(table: string, column: string | null, label: string): string {
  const overhead = Buffer.byteLength(label) + 1 + (column === null ? 0 : 1)
  let first = Buffer.byteLength(table)
  let second = column === null ? 0 : Buffer.byteLength(column)
  while (first + second + overhead > MAX_NAME_BYTES) {
    if (first > second) first--
    else second--
  }
  const parts = [clip(table, first), ...(column === null ? [] : [clip(column, second)]), label]
  return parts.join('_')
}

/** `text` as a literal, whatever `standard_conforming_strings` says. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
