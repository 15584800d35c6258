/** `umzug-tenants lint`, without a database; in this process, and as one of its own where loaders and modules matter. */
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { ErrorDocument } from '../../lib/errors.ts'
import type { LintReport } from '../../lib/lint/lint.ts'
import { cliProjects, jsonIn, runIn } from '../support/cli.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/lint')
const newProject = cliProjects(test, undefined)

/** Without whatever loader the tests themselves run with. */
const env = { NODE_OPTIONS: undefined }

/** A server that would be noticed if it were asked: nothing listens there. */
const CONFIG = `url: 'postgres://nobody@127.0.0.1:1/nothing', migrations: 'db/*'`

const FILES = {
  'umzug-tenants.config.mjs': `export default { ${CONFIG}, searchPath: ['shared', 'lookups'] }\n`,
  'db/001_a.sql': 'CREATE TABLE a (id int REFERENCES lookups.b (id));\n',
  'db/002_b.sql': "SELECT 1\n  FROM pg_type WHERE typname = 'mood';\n",
  'db/003_c.ts': 'export const up = async ({ context }) => {\n  context.sql(`DROP TABLE public.c`)\n}\n',
}

test('findings are a line for each, with the remedy, and exit 3', async () => {
  const project = await newProject(FILES)
  const { code, stdout, stderr } = await project.cli(['lint'], { env })
  assert.equal([code, stderr], [3, '3 findings in 3 files\n'])
  const lines = stdout.split('\n')
  assert.match(lines[0] ?? '', /^db\/002_b\.sql:2:8 {2}unfiltered-catalog {2}pg_type shows/)
  assert.match(lines[1] ?? '', /^ {4}fix: add the condition typnamespace = /)
  assert.match(lines[2] ?? '', /^db\/003_c\.ts:2:3 {2}not-awaited {2}/)
  assert.match(lines[4] ?? '', /^db\/003_c\.ts:2:27 {2}foreign-schema {2}/)
  assert.is(lines.length, 7)
})

test('--json is one document of the findings and the number of files', async () => {
  const project = await newProject(FILES)
  const { code, stderr, document } = await jsonIn<LintReport>(project.folder, ['lint'])
  assert.equal([code, stderr, document.files], [3, '', 3])
  assert.equal(Object.keys(document), ['findings', 'files'])
  assert.equal(
    document.findings.map(({ file, line, column, rule }) => [file, line, column, rule]),
    [
      ['db/002_b.sql', 2, 8, 'unfiltered-catalog'],
      ['db/003_c.ts', 2, 3, 'not-awaited'],
      ['db/003_c.ts', 2, 27, 'foreign-schema'],
    ],
  )
  assert.equal(Object.keys(document.findings[0] ?? {}), [
    'rule',
    'file',
    'line',
    'column',
    'message',
    'remedy',
  ])
})

test('nothing found exits 0, and says how many files were read', async () => {
  const project = await newProject(FILES)
  const { code, stdout, stderr } = await runIn(project.folder, ['lint', 'db/001_a.sql'])
  assert.equal([code, stdout, stderr], [0, '', 'nothing found in 1 file\n'])
  const { document } = await jsonIn<LintReport>(project.folder, ['lint', 'db/001_a.sql'])
  assert.equal(document, { findings: [], files: 1 })
})

test('files that are named need no configuration; without one the shared schema has its usual name', async () => {
  const project = await newProject({ ...FILES, 'db/004_d.sql': 'DROP TABLE shared.d' })
  const files = ['001_a.sql', '004_d.sql'].map((file) => join(project.folder, 'db', file))
  const { code, stdout } = await runIn('/', ['lint', ...files])
  assert.is(code, 3)
  assert.match(stdout, /001_a\.sql:1:35 {2}foreign-schema {2}"lookups\.b"/)
  assert.not.match(stdout, '004_d')
})

test('a configuration that is named must be there, and all migrations need one', async () => {
  const project = await newProject(FILES)
  const named = await jsonIn<{ error: ErrorDocument }>(project.folder, [
    'lint',
    'db/001_a.sql',
    '--config',
    'no.ts',
  ])
  assert.equal([named.code, named.document.error.code], [2, 'CONFIG_NOT_FOUND'])
  const none = await jsonIn<{ error: ErrorDocument }>('/', ['lint'])
  assert.equal([none.code, none.document.error.code], [2, 'CONFIG_NOT_FOUND'])
})

test('a file that is missing exits 2', async () => {
  const project = await newProject(FILES)
  const { code, document } = await jsonIn<{ error: ErrorDocument }>(project.folder, ['lint', 'db/009.sql'])
  assert.equal([code, document.error.code], [2, 'USAGE'])
  assert.match(document.error.title, 'db/009.sql')
})

test('a project without migrations is told so', async () => {
  const project = await newProject({ 'umzug-tenants.config.mjs': `export default { ${CONFIG} }` })
  const { code, stderr } = await runIn(project.folder, ['lint'])
  assert.equal([code, stderr], [0, 'no migrations: nothing was read\n'])
})

test('the parsers are loaded by lint alone', async () => {
  const project = await newProject({
    ...FILES,
    'loaded.cjs': `process.on('exit', () => {
      const files = Object.keys(require.cache).filter((file) => /node_modules.(libpg-query|@babel)./.test(file))
      process.stderr.write('loaded: ' + (files.length > 0))
    })`,
  })
  const loud = { ...env, NODE_OPTIONS: `--require=${join(project.folder, 'loaded.cjs')}` }
  assert.match((await project.cli(['status'], { env: loud })).stderr, /loaded: false$/)
  assert.match((await project.cli(['lint'], { env: loud })).stderr, /loaded: true$/)
})

test.run()
