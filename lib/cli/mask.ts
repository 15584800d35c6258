/** Keeps passwords out of whatever is printed. Pure. */

/**
 * `text` without the password of any URL or connection string in it. Messages of drivers, pools and migrations
 * pass through here; none of them can be trusted to leave a URL out. The word `password` itself stands in advice.
 */
export function maskPasswords(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"']*:)(?!password@)[^\s"']+(?=@)/gi, '$1***')
    .replace(/\b((?:pg)?password\s*=\s*)[^\s&"']+/gi, '$1***')
}
