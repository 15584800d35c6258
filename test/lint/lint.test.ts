/** From files to findings: which are read, what each is taken for, and what it says where. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { LINT_RULES } from '../../lib/lint/finding.ts'
import { lintMigrations, type LintOptions } from '../../lib/lint/lint.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('lint/lint')
const newFolder = temporaryFolders(test)

const options = (baseDir: string): LintOptions => ({
  baseDir,
  migrations: ['migrations/*'],
  sharedMigrations: ['migrations/shared/*'],
  sharedSchema: 'shared',
  searchPath: ['lookups'],
})

test('every migration is read, both ways and the shared ones, in their order', async () => {
  const folder = await newFolder({
    'migrations/002_b.ts': "export const up = ({ context }) => context.sql('DROP TABLE public.b')",
    'migrations/001_a.sql': 'DROP TABLE public.a',
    'migrations/001_a.down.sql': 'CREATE TABLE public.a (id int)',
    'migrations/003_c.sql': 'SELECT 1',
    'migrations/down/003_c.sql': 'DROP TABLE public.c',
    'migrations/shared/001_s.sql': 'CREATE EXTENSION citext; SET search_path = public',
    'migrations/notes.md': 'public.users',
  })
  const { findings, files } = await lintMigrations(options(folder))
  assert.is(files, 6)
  assert.equal(
    findings.map(({ file, rule }) => `${file.slice(folder.length + 1)} ${rule}`),
    [
      'migrations/001_a.sql foreign-schema',
      'migrations/001_a.down.sql foreign-schema',
      'migrations/002_b.ts foreign-schema',
      'migrations/down/003_c.sql foreign-schema',
      'migrations/shared/001_s.sql search-path',
    ],
  )
})

test('files that are named are read, each once, and no others', async () => {
  const folder = await newFolder({
    'migrations/001_a.sql': 'DROP TABLE public.a',
    'elsewhere/002_b.sql': 'DROP TABLE public.b; DROP TABLE shared.c; DROP TABLE lookups.d',
    'migrations/shared/001_s.sql': 'CREATE EXTENSION citext',
  })
  const named = [
    'elsewhere/002_b.sql',
    'elsewhere/../elsewhere/002_b.sql',
    'migrations/shared/001_s.sql',
  ].map((file) => join(folder, file))
  const { findings, files } = await lintMigrations(options(folder), named)
  assert.equal(
    [files, findings.map(({ file, line, column }) => [file, line, column])],
    [2, [[join(folder, 'elsewhere/002_b.sql'), 1, 12]]],
  )
})

test('a byte order mark counts for no column', async () => {
  const folder = await newFolder({ 'migrations/001_a.sql': '\uFEFFDROP TABLE public.a' })
  const { findings } = await lintMigrations(options(folder))
  assert.equal([findings[0]?.line, findings[0]?.column], [1, 12])
})

test('a way back is outside a transaction if its way there is', async () => {
  const folder = await newFolder({
    'migrations/001_a.sql': '-- transaction: false\nBEGIN; COMMIT',
    'migrations/001_a.down.sql': 'BEGIN; COMMIT',
    'migrations/002_b.sql': 'SELECT 1',
    'migrations/002_b.down.sql': 'COMMIT',
  })
  const { findings } = await lintMigrations(options(folder))
  assert.equal(
    findings.map(({ file }) => file.slice(folder.length + 1)),
    ['migrations/002_b.down.sql'],
  )
})

test('no migration is imported: reading one does nothing', async () => {
  const folder = await newFolder({ 'migrations/001_a.mjs': 'globalThis.wasRun = true\nthrow new Error()' })
  assert.equal(await lintMigrations(options(folder)), { findings: [], files: 1 })
  assert.not.ok('wasRun' in globalThis)
})

test('no migrations are no findings', async () => {
  assert.equal(await lintMigrations(options(await newFolder())), { findings: [], files: 0 })
})

test('what is no file, or no migration, is refused', async () => {
  const folder = await newFolder({ 'a.txt': '' })
  for (const [file, said] of [
    ['nowhere.sql', 'There is no file'],
    ['.', 'is no file'],
    ['a.txt', 'is no migration'],
  ] as const) {
    const error = await failure('USAGE', () => lintMigrations(options(folder), [join(folder, file)]))
    assert.is(error.exitCode, 2)
    assert.match(error.title, said)
  }
})

test('every rule has a section in docs/lint.md, in the same order, with an example and a remedy', () => {
  const document = readFileSync(join(repository, 'docs/lint.md'), 'utf8')
  const sections = document.split(/^## /m).slice(1)
  const rules = sections
    .map((section) => section.split('\n')[0] ?? '')
    .filter((title) => /^[a-z-]+$/.test(title))
  assert.equal(rules, LINT_RULES)
  for (const section of sections.filter((each) => rules.includes(each.split('\n')[0] ?? ''))) {
    assert.match(section, '```')
    assert.match(section, 'Instead')
  }
})

test.run()
