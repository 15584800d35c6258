import { dirname, join } from 'node:path'

import * as assert from 'uvu/assert'

import { loadConfig } from '../lib/config.ts'
import { failure } from './support/failure.ts'
import { temporaryFolders } from './support/folder.ts'
import { suite } from './support/suite.ts'

const test = suite('config')
const folder = temporaryFolders(test)

const NAME = 'umzug-tenants.config'

for (const [extension, text] of [
  ['ts', "export default { url: 'postgres://h/d' as string }"],
  ['mts', "const config: { url: string } = { url: 'postgres://h/d' }; export default config"],
  ['js', "module.exports = { url: 'postgres://h/d' }"],
  ['mjs', "export default { url: 'postgres://h/d' }"],
  ['cjs', "exports.url = 'postgres://h/d'"],
] as const) {
  test(`${NAME}.${extension} is found and read`, async () => {
    const cwd = await folder({ [`${NAME}.${extension}`]: text })
    const { config, baseDir, path } = await loadConfig({ cwd })
    assert.is(config.url, 'postgres://h/d')
    assert.equal([baseDir, path], [cwd, join(cwd, `${NAME}.${extension}`)])
  })
}

test('the file of a folder above is found, and its folder is the base of its paths', async () => {
  const top = await folder({
    [`${NAME}.mjs`]: "export default { storage: 'alembic_version' }",
    'a/b/c/x': '',
  })
  const { config, baseDir } = await loadConfig({ cwd: join(top, 'a/b/c') })
  assert.equal([config.storage, baseDir], ['alembic_version', top])
})

test('the nearest file wins', async () => {
  const top = await folder({
    [`${NAME}.ts`]: 'export default { concurrency: 1 }',
    [`a/${NAME}.cjs`]: 'module.exports = { concurrency: 2 }',
  })
  assert.is((await loadConfig({ cwd: join(top, 'a') })).config.concurrency, 2)
})

test('a named file is read whatever it is called, relative to the working directory', async () => {
  const cwd = await folder({ 'config/tenants.mjs': 'export default { concurrency: 3 }' })
  const { config, baseDir, path } = await loadConfig({ cwd, file: 'config/tenants.mjs' })
  assert.is(config.concurrency, 3)
  assert.equal([baseDir, path], [join(cwd, 'config'), join(cwd, 'config/tenants.mjs')])
  assert.is((await loadConfig({ cwd: dirname(cwd), file: path })).config.concurrency, 3)
})

test('no file anywhere is an error that says which to create', async () => {
  const cwd = await folder()
  const error = await failure('CONFIG_NOT_FOUND', () => loadConfig({ cwd }))
  assert.is(error.title, `No umzug-tenants.config.{ts,mts,js,mjs,cjs} in ${cwd} or above.`)
  assert.match(
    error.message,
    'create umzug-tenants.config.ts with: export default { url: process.env.DATABASE_URL }',
  )
  assert.match(error.message, 'or name another file with --config FILE')
})

test('a named file that does not exist is not found', async () => {
  const cwd = await folder()
  const error = await failure('CONFIG_NOT_FOUND', () => loadConfig({ cwd, file: 'nope.mjs' }))
  assert.is(error.title, `There is no file ${join(cwd, 'nope.mjs')}.`)
  assert.equal(error.fix, ['correct --config'])
})

for (const [what, text] of [
  ['no default export', "export const url = 'postgres://h/d'"],
  ['a text', "export default 'postgres://h/d'"],
  ['an array', 'export default []'],
  ['null', 'export default null'],
  ['a function', 'export default () => ({})'],
] as const) {
  test(`${what} is refused with the way to export`, async () => {
    const cwd = await folder({ [`${NAME}.mjs`]: text })
    for (const file of [undefined, `${NAME}.mjs`]) {
      const error = await failure('CONFIG_INVALID', () => loadConfig({ cwd, file }))
      assert.is(error.title, `The configuration exports no object: ${join(cwd, `${NAME}.mjs`)}`)
      assert.match(
        error.message,
        'export default defineConfig({ … }) from it, or module.exports = { … } in CommonJS',
      )
    }
  })
}

for (const [what, name, text, detail] of [
  ['with a syntax error', `${NAME}.mjs`, 'export default {', /Unexpected/],
  ['in TypeScript with a syntax error', `${NAME}.ts`, 'export default {', /Unexpected|Expected/],
  ['that throws', `${NAME}.cjs`, "throw new Error('no secret store')", /no secret store/],
  ['that imports a missing file', `${NAME}.mjs`, "import './nope.mjs'; export default {}", /nope\.mjs/],
] as const) {
  test(`a file ${what} is named with the reason`, async () => {
    const cwd = await folder({ [name]: text })
    const error = await failure('CONFIG_INVALID', () => loadConfig({ cwd }))
    assert.is(error.title, `The configuration cannot be read: ${join(cwd, name)}`)
    assert.match(error.message, detail)
    assert.match(error.message, 'correct the file; it must export a configuration as its default')
  })
}

test.run()
