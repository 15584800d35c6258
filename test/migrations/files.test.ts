import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { MigrationContext } from '../../lib/migrations/context.ts'
import { findMigrations, loadMigration, type LoadedMigration } from '../../lib/migrations/files.ts'
import { failure, thrownBy } from '../support/failure.ts'
import { temporaryFolders, type Files } from '../support/folder.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/files')
const folder = temporaryFolders(test)

const UP = 'exports.up = () => {}'

async function namesIn(files: Files, ...globs: string[]): Promise<string[]> {
  return (await findMigrations(globs.length > 0 ? globs : ['migrations/*'], await folder(files))).map(
    ({ name }) => name,
  )
}

async function load(name: string, text: string, more: Files = {}): Promise<LoadedMigration> {
  const path = join(await folder({ [name]: text, ...more }), name)
  return loadMigration({ name, path })
}

test('migrations of every extension are found, by name, not by folder or time', async () => {
  const names = await namesIn({
    'migrations/3.sql': '',
    'migrations/1.ts': '',
    'migrations/2.cjs': '',
    'more/15.mjs': '',
  }, 'migrations/*', 'more/*') // prettier-ignore
  assert.equal(names, ['1.ts', '15.mjs', '2.cjs', '3.sql'])
})

test('way-back texts, declarations, hidden files and foreign files are not migrations', async () => {
  const names = await namesIn({
    'migrations/1.sql': '',
    'migrations/1.down.sql': '',
    'migrations/down/1.sql': '',
    'migrations/2.d.ts': '',
    'migrations/.3.ts': '',
    'migrations/README.md': '',
    'migrations/shared/4.sql': '',
  })
  assert.equal(names, ['1.sql'])
})

test('a glob may reach into folders without finding those for the way back', async () => {
  const names = await namesIn({ 'm/a/1.sql': '', 'm/a/down/1.sql': '', 'm/2.sql': '' }, 'm/**/*')
  assert.equal(names, ['1.sql', '2.sql'])
})

test('a file that two globs name is one migration', async () => {
  assert.equal(await namesIn({ 'm/1.sql': '' }, 'm/*', 'm/1.*'), ['1.sql'])
})

test('no folder is no migrations', async () => assert.equal(await namesIn({}), []))

test('two migrations of one name are refused, whatever folder, extension and letter case', async () => {
  for (const files of [
    { 'm/1_a.ts': '', 'm/1_a.sql': '' },
    { 'm/1_a.ts': '', 'm/x/1_a.ts': '' },
    { 'm/1_a.ts': '', 'm/x/1_A.ts': '' },
  ]) {
    const error = await failure('MIGRATION_DUPLICATE', () => namesIn(files, 'm/**/*'))
    assert.match(error.title, /^Two migrations are called "1_[aA]"\.$/)
    assert.match(error.message, ' and ')
    assert.match(error.message, 'rename or remove one of them, or narrow the glob in migrations')
  }
})

/** A context that only remembers what it was asked for. */
function fakeContext(): MigrationContext & { readonly texts: string[] } {
  const texts: string[] = []
  const queryInterface = { isQueryInterface: true }
  const context = Object.assign(Object.create(queryInterface), {
    queryInterface,
    Sequelize: { isSequelize: true },
    texts,
    sql: (text: string) => Promise.resolve(texts.push(text)),
  })
  return context as MigrationContext & { readonly texts: string[] } // the members that these tests use
}

const SEES = `return {
  form: [first.isQueryInterface === true, first.name, first.context?.queryInterface?.isQueryInterface === true],
  second: second?.isSequelize === true }`
const BOTH = { form: [true, 'NAME', true], second: true }

for (const [what, name, text] of [
  ['named exports of .mjs', 'a.mjs', `export async function up(first, second) { ${SEES} }`],
  ['module.exports of .cjs', 'a.cjs', `module.exports = { async up(first, second) { ${SEES} } }`],
  ['module.exports of .js', 'a.js', `module.exports = { up: async (first, second) => { ${SEES} } }`],
  ['exports.up of .js', 'a.js', `exports.up = async (first, second) => { ${SEES} }`],
  ['a default export', 'a.mjs', `export default { async up(first, second) { ${SEES} } }`],
  [
    'a default export of TypeScript',
    'a.ts',
    `export default { async up(first: unknown, second: unknown) { ${SEES} } }`,
  ],
  [
    'named exports of .mts',
    'a.mts',
    `export const up = async (first: unknown, second: unknown) => { ${SEES} }`,
  ],
  ['export = of .cts', 'a.cts', `export = { async up(first: unknown, second: unknown) { ${SEES} } }`],
  [
    'a compiled default export',
    'a.cjs',
    `Object.defineProperty(exports, '__esModule', { value: true });
     exports.default = { async up(first, second) { ${SEES} } }`,
  ],
] as const) {
  test(`${what} get the query interface with Umzug's members, and Sequelize`, async () => {
    const { up } = await load(name, text)
    const seen = await up(fakeContext(), true)
    assert.equal(seen, { ...BOTH, form: [true, name, true] })
  })
}

test("form 'umzug' gives Umzug's one object and nothing else", async () => {
  const { up } = await load(
    'a.mjs',
    "export const form = 'umzug'; export const up = (...args) => [args.length, Object.keys(args[0]), args[0].isQueryInterface]",
  )
  assert.equal(await up(fakeContext(), true), [1, ['name', 'path', 'context'], undefined])
})

test("form 'sequelize-cli' gives the query interface itself and Sequelize", async () => {
  const { up } = await load(
    'a.mjs',
    "export const form = 'sequelize-cli'; export const up = (...args) => args",
  )
  const context = fakeContext()
  const [first, second] = (await up(context, true)) as unknown[]
  assert.is(first, context.queryInterface)
  assert.is(second, context.Sequelize)
})

test('a migration that throws synchronously rejects', async () => {
  const { up } = await load('a.mjs', "export const up = () => { throw new Error('at once') }")
  assert.match(String(await thrownBy(() => up(fakeContext(), true))), 'at once')
})

test('a null down, as some generators write it, is none', async () => {
  assert.is((await load('a.cjs', `${UP}; exports.down = null`)).down, undefined)
})

test('transaction = false is read from the module; anything else means a transaction', async () => {
  assert.is((await load('a.cjs', `${UP}; exports.transaction = false`)).transaction, false)
  for (const text of [UP, `${UP}; exports.transaction = true`, `${UP}; exports.transaction = undefined`]) {
    assert.is((await load('a.cjs', text)).transaction, true)
  }
})

test('a text goes up whole, without its byte order mark', async () => {
  const context = fakeContext()
  const { up, down, transaction } = await load('a.sql', '\uFEFFSELECT 1;\r\nSELECT 2;')
  await up(context, true)
  assert.equal(context.texts, ['SELECT 1;\r\nSELECT 2;'])
  assert.equal([down, transaction], [undefined, true])
})

for (const downName of ['a.down.sql', 'down/a.sql']) {
  test(`${downName} is the way back of a.sql`, async () => {
    const context = fakeContext()
    const { down } = await load('a.sql', 'UP', { [downName]: '\uFEFFDOWN' })
    assert.ok(down)
    await down(context, true)
    assert.equal(context.texts, ['DOWN'])
  })
}

for (const text of [
  '-- transaction: false\nX',
  '\uFEFF--transaction=false',
  '\n  --  Transaction : FALSE\r\nX',
]) {
  test(`${JSON.stringify(text)} runs outside a transaction`, async () => {
    assert.is((await load('a.sql', text)).transaction, false)
  })
}

for (const text of [
  '-- transaction: true',
  'X -- transaction: false',
  '-- transaction: falsehood',
  '/* transaction: false */',
]) {
  test(`${JSON.stringify(text)} runs in a transaction`, async () => {
    assert.is((await load('a.sql', text)).transaction, true)
  })
}

for (const [what, text] of [
  ['no up', 'exports.down = () => {}'],
  ['an up that is no function', 'exports.up = 1'],
  ['a down that is no function', `${UP}; exports.down = 1`],
] as const) {
  test(`${what} is refused with both signatures`, async () => {
    const error = await failure('MIGRATION_INVALID', () => load('a.cjs', text))
    assert.is(error.title, 'Migration "a.cjs" exports no function up.')
    assert.match(
      error.message,
      'export async function up({ context }) { … }, or up(queryInterface, Sequelize)',
    )
  })
}

test('an unknown form is refused with the known ones', async () => {
  const error = await failure('MIGRATION_INVALID', () => load('a.cjs', `${UP}; exports.form = 'knex'`))
  assert.is(error.title, 'Migration "a.cjs" exports an unknown form.')
  assert.match(error.message, "export const form = 'umzug' or 'sequelize-cli', or leave it out")
})

for (const [what, text, detail] of [
  ['throws on import', "throw new Error('mine')", 'mine'],
  ['is no JavaScript', 'exports.up = (', 'Unexpected'],
  ['imports what is not there', "require('no-such-package')", 'no-such-package'],
] as const) {
  test(`a file that ${what} is named with the reason`, async () => {
    const error = await failure('MIGRATION_INVALID', () => load('a.cjs', text))
    assert.is(error.title, 'Migration "a.cjs" cannot be loaded.')
    assert.is(error.migration, 'a.cjs')
    assert.match(error.message, detail)
    assert.match(error.message, /fix: correct .*a\.cjs/)
  })
}

test('a file that vanished since it was found is named', async () => {
  const error = await failure('MIGRATION_INVALID', () =>
    loadMigration({ name: 'a.sql', path: '/nowhere/a.sql' }),
  )
  assert.match(error.message, 'ENOENT')
})

test.run()
