/** Texts with marks in them: `‹rule›` stands where a finding of that rule is expected. */
import { loadCodeParser } from '../../lib/lint/code.ts'
import type { Finding, LintFacts } from '../../lib/lint/finding.ts'
import { lintSource } from '../../lib/lint/lint.ts'
import { loadSqlParser } from '../../lib/lint/sql.ts'

export type LintText = (
  text: string,
  file?: string,
  facts?: Partial<LintFacts>,
) => {
  /** The rules found, each with its place. */
  readonly found: readonly string[]
  /** The marks of the text. */
  readonly expected: readonly string[]
  readonly findings: readonly Finding[]
}

/** A function that lints a marked text as a file of that name. */
export async function lintText(): Promise<LintText> {
  const parsers = { sql: await loadSqlParser(), code: await loadCodeParser() }
  return (marked, file = '001_case.sql', facts = {}) => {
    const { text, expected } = withoutMarks(marked)
    const all: LintFacts = {
      sharedSchemas: new Set(['shared']),
      shared: false,
      inTransaction: true,
      ...facts,
    }
    const findings = lintSource(text, file, all, parsers)
    return {
      findings,
      expected,
      found: findings.map(({ rule, line, column }) => `${line}:${column} ${rule}`),
    }
  }
}

function withoutMarks(marked: string): { text: string; expected: string[] } {
  const expected: string[] = []
  let text = ''
  for (const part of marked.split(/(‹[a-z-]+›)/)) {
    const rule = /^‹(.+)›$/.exec(part)?.[1]
    if (rule === undefined) text += part
    else {
      const lines = text.split('\n')
      expected.push(`${lines.length} `.trim() + `:${Array.from(lines.at(-1) ?? '').length + 1} ${rule}`)
    }
  }
  return { text, expected }
}
