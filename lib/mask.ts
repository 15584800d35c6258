/** Keeps passwords out of whatever is printed or kept. Pure. */

/**
 * `text` without the password of any URL, connection string, printed configuration or SQL statement in it. Messages
 * of drivers, pools and migrations pass through here; none of them can be trusted to leave one out. The word
 * `password` itself stands in advice.
 */
export function maskPasswords(text: string): string {
  return (
    text
      // postgres://user:secret@host
      .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"']*:)(?!password@)[^\s"']+(?=@)/gi, '$1***')
      // libpq: password=secret, password = 'se\'cret', ?password=secret&…, PGPASSWORD=secret
      .replace(/\b((?:pg|ssl)?password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&"']+)/gi, '$1***')
      // JavaScript and JSON: password: 'secret', "password":"secret"
      .replace(/\b(password["']?\s*:\s*)(["'`])(?:\\.|(?!\2)[^\\])*\2/gi, '$1$2***$2')
      // SQL: ALTER ROLE … PASSWORD 'secret'
      .replace(/\b(password\s+)(?:E?'(?:[^'\\]|\\.|'')*'|\$(\w*)\$[^]*?\$\2\$)/gi, "$1'***'")
  )
}
