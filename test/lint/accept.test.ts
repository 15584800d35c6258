/** Acceptance of findings by comments. */
import * as assert from 'uvu/assert'

import { lintText, type LintText } from '../support/lint.ts'
import { suite } from '../support/suite.ts'

const test = suite('lint/accept')

let lint: LintText

test.before(async () => {
  lint = await lintText()
})

const ACCEPTED = {
  'on the line itself': 'DROP TABLE public.a; -- umzug-tenants: accept foreign-schema the old table',
  'on the line above': '-- umzug-tenants: accept foreign-schema the old table\nDROP TABLE public.a',
  'in a block comment': '/* umzug-tenants: accept foreign-schema\n   the old table */\nDROP TABLE public.a',
  'in a block comment before it': '/* umzug-tenants: accept foreign-schema old */ DROP TABLE public.a',
  'above a line in the middle of a statement':
    'SELECT 1\n  FROM a\n  -- umzug-tenants: accept foreign-schema the old table\n  JOIN public.b ON true',
  'two rules, one comment below the other':
    "-- umzug-tenants: accept foreign-schema because\n-- umzug-tenants: accept unfiltered-catalog because\nSELECT 1 FROM public.a, pg_type WHERE typname = 'x'",
  'what does not parse': '-- umzug-tenants: accept syntax psql reads it\n\\connect db',
}

for (const [where, text] of Object.entries(ACCEPTED)) {
  test(`a finding in SQL is accepted ${where}`, () => {
    assert.equal(lint(text).found, [])
    assert.is.not(lint(text.replaceAll('umzug-tenants: accept', '')).found.length, 0)
  })
}

const IN_CODE = {
  'on the line itself': "q.dropTable('a') // umzug-tenants: accept not-awaited a test of ours",
  'on the line above': "// umzug-tenants: accept not-awaited a test of ours\nq.dropTable('a')",
  'before SQL': "// umzug-tenants: accept foreign-schema old\nawait q.sequelize.query('DROP TABLE public.a')",
  'inside of SQL':
    'await q.sequelize.query(`\n  SELECT 1\n  -- umzug-tenants: accept foreign-schema old\n  FROM public.${a}`)',
}

for (const [where, text] of Object.entries(IN_CODE)) {
  test(`a finding in code is accepted ${where}`, () => {
    const body = (inner: string) => `export const up = async (q) => {\n${inner}\n}`
    assert.equal(lint(body(text), 'a.ts').found, [])
    assert.is.not(lint(body(text.replaceAll('umzug-tenants: accept', '')), 'a.ts').found.length, 0)
  })
}

test('only the rule that is named is accepted, and only there', () => {
  const rule = 'DROP TABLE ‹foreign-schema›public.a; ‹acceptance›-- umzug-tenants: accept search-path because'
  assert.equal(lint(rule).found, lint(rule).expected)
  const line =
    'DROP TABLE public.a; -- umzug-tenants: accept foreign-schema old\nDROP TABLE ‹foreign-schema›public.b'
  assert.equal(lint(line).found, lint(line).expected)
  const far = '‹acceptance›-- umzug-tenants: accept foreign-schema old\n\nDROP TABLE ‹foreign-schema›public.b'
  assert.equal(lint(far).found, lint(far).expected)
})

test('an acceptance without a reason is a finding, and accepts nothing', () => {
  const text = '‹acceptance›-- umzug-tenants: accept foreign-schema\nDROP TABLE ‹foreign-schema›public.a'
  const { found, expected, findings } = lint(text)
  assert.equal(found, expected)
  assert.match(findings[0]?.remedy ?? '', 'say after foreign-schema why')
})

test('an acceptance of no rule, or of one that is unknown, is a finding that names the rules', () => {
  for (const said of ['', 'everything', 'foreign_schema because', 'acceptance because']) {
    const { found, findings } = lint(`SELECT 1 -- umzug-tenants: accept ${said}`)
    assert.equal(found, ['1:10 acceptance'], said)
    assert.match(findings[0]?.remedy ?? '', 'foreign-schema, unfiltered-catalog')
  }
})

test('an acceptance of what is not there is a finding', () => {
  const { found, findings } = lint('SELECT 1; -- umzug-tenants: accept database-wide because')
  assert.equal(found, ['1:11 acceptance'])
  assert.match(findings[0]?.message ?? '', 'accepts nothing')
})

test('a string is no comment, and other comments are none of ours', () => {
  assert.equal(lint("SELECT '-- umzug-tenants: accept x'").found, [])
  assert.equal(lint('-- umzug-tenants runs this; accept foreign-schema\nSELECT 1').found, [])
  assert.equal(lint("export const a = '// umzug-tenants: accept x'", 'a.ts').found, [])
})

test.run()
