import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { detectLanguage, initProject } from '../lib/init.ts'
import { failure } from './support/failure.ts'
import { temporaryFolders } from './support/folder.ts'
import { suite } from './support/suite.ts'

const test = suite('init')
const makeFolder = temporaryFolders(test)

const now = new Date('2026-01-02T03:04:05.678Z')

test('an empty folder gets everything', async () => {
  const folder = await makeFolder()
  const report = await initProject({ folder, language: 'ts', now })
  assert.equal(report, {
    language: 'ts',
    written: [
      'umzug-tenants.config.ts',
      'migrations/20260102030405_create_users.ts',
      'migrations/shared/.gitkeep',
      'seeders/.gitkeep',
    ],
    left: [],
    toInstall: ['umzug-tenants', 'sequelize', 'pg'],
  })
})

test('a second time everything is left', async () => {
  const folder = await makeFolder()
  await initProject({ folder, language: 'esm', now })
  const { written, left } = await initProject({ folder, language: 'esm', now })
  assert.equal(written, [])
  assert.equal(left, ['umzug-tenants.config.mjs', 'migrations', 'migrations/shared', 'seeders'])
})

test('what is there stays as it is, and a configuration counts in any language', async () => {
  const files = {
    'umzug-tenants.config.cjs': 'mine',
    'migrations/001_mine.sql': 'mine',
    'seeders/001_mine.sql': 'mine',
    'package.json': '{ "dependencies": { "sequelize": "6", "pg": "8" } }',
  }
  const folder = await makeFolder(files)
  const { written, left, toInstall } = await initProject({ folder, language: 'ts', now })
  assert.equal(written, ['migrations/shared/.gitkeep'])
  assert.equal(left, ['umzug-tenants.config.cjs', 'migrations', 'seeders'])
  assert.equal(toInstall, ['umzug-tenants'])
  for (const [name, text] of Object.entries(files))
    assert.is(await readFile(join(folder, name), 'utf8'), text)
})

test('the language is what the project says', async () => {
  const detect = async (files: Record<string, string>) => detectLanguage(await makeFolder(files))
  assert.is(await detect({ 'tsconfig.json': '{}', 'package.json': '{}' }), 'ts')
  assert.is(await detect({ 'package.json': '{ "devDependencies": { "typescript": "5" } }' }), 'ts')
  assert.is(await detect({ 'package.json': '{ "type": "module" }' }), 'esm')
  assert.is(await detect({ 'package.json': '{}' }), 'cjs')
  assert.is(await detect({}), undefined)
  assert.is(await detect({ 'package.json': 'broken' }), undefined)
})

test('a file in the place of a folder is refused, and nothing is written', async () => {
  const folder = await makeFolder({ migrations: 'a file' })
  const { title } = await failure('USAGE', () => initProject({ folder, language: 'ts', now }))
  assert.is(title, `${join(folder, 'migrations')} is not a folder.`)
  const other = await makeFolder({ seeders: 'a file' })
  await failure('USAGE', () => initProject({ folder: other, language: 'ts', now }))
  assert.equal(await readdir(other), ['seeders'])
})

test.run()
