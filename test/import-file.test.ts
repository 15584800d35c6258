import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import * as assert from 'uvu/assert'

import { importFile } from '../lib/import-file.ts'
import { startChild, type Outcome } from './support/child.ts'
import { thrownBy } from './support/failure.ts'
import { temporaryFolders, type Files } from './support/folder.ts'
import { suite } from './support/suite.ts'

const test = suite('import-file')
const folder = temporaryFolders(test)

async function importText(name: string, text: string, more: Files = {}): Promise<Record<string, unknown>> {
  return importFile(join(await folder({ [name]: text, ...more }), name))
}

test('named exports are members', async () => {
  const file = await importText('a.mjs', 'export const a = 1, b = 2')
  assert.equal([file['a'], file['b'], file['default']], [1, 2, undefined])
})

test('members of a default export lie beneath the named ones', async () => {
  const file = await importText('a.mjs', 'export const a = 1; export default { a: 2, b: 3 }')
  assert.equal([file['a'], file['b'], file['default']], [1, 3, { a: 2, b: 3 }])
})

test('module.exports is the default, and its members are members', async () => {
  const file = await importText('a.cjs', 'module.exports = { a: 1 }')
  assert.equal([file['a'], file['default']], [1, { a: 1 }])
})

test('a file that another import has loaded already is the same module', async () => {
  const path = join(await folder({ 'a.mjs': 'export const a = {}' }), 'a.mjs')
  const first = (await import(pathToFileURL(path).href)) as { a: object }
  assert.is((await importFile(path))['a'], first.a)
})

test('a path with blanks and special characters is a path', async () => {
  const file = await importText('a b#c?d%41.mjs', 'export const a = 1')
  assert.is(file['a'], 1)
})

test('an error of the file itself passes as it is', async () => {
  const error = await thrownBy(() => importText('a.ts', "throw new RangeError('mine')"))
  assert.instance(error, RangeError)
})

/** What the library does in a process that reads no TypeScript, as `node` below 22.18. */
async function importWithPlainNode(files: Files): Promise<Outcome> {
  const path = join(await folder(files), Object.keys(files)[0] ?? '')
  const code = `import { importFile } from 'lib/import-file.js'
    const { up } = await importFile(process.argv[1])
    console.log(await up())`
  return (await startChild(code, path)).outcome
}

test('TypeScript with an enum is read in a process that reads no TypeScript', async () => {
  const { stdout, stderr } = await importWithPlainNode({
    'a.ts': `import { word } from './word.ts'
      enum Mood { good = 'good', bad = 'bad' }
      export const up = async (): Promise<string> => word + Mood.bad`,
    'word.ts': "export const word: string = 'so '",
  })
  assert.equal([stdout, stderr], ['so bad\n', ''])
})

test('a syntax error in TypeScript is the error, in a process that reads no TypeScript', async () => {
  const { exitCode, stderr } = await importWithPlainNode({ 'a.ts': 'export const up = (' })
  assert.is(exitCode, 1)
  assert.match(stderr, /SyntaxError|ParseError/)
})

test.run()
