import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import * as assert from 'uvu/assert'

import { isTenancyError } from '../../lib/errors.ts'
import {
  createMigration,
  createMigrations,
  folderOf,
  snakeCase,
  type CreateRequest,
} from '../../lib/migrations/create.ts'
import { revisionOf } from '../../lib/migrations/revision.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/create')
const makeFolder = temporaryFolders(test)

const now = new Date('2026-01-02T03:04:05.678Z')

const create = (baseDir: string, request: CreateRequest, globs = ['migrations/*']) =>
  createMigration(request, { globs, baseDir, now })

test('names become snake case of any script, and never a path', () => {
  assert.is(snakeCase('AddUsers'), 'add_users')
  assert.is(snakeCase('add-user  roles!'), 'add_user_roles')
  assert.is(snakeCase('../../x'), 'x')
  assert.is(snakeCase('Größe ändern'), 'größe_ändern')
  assert.is(snakeCase('a\u0308'), 'ä')
  assert.is(snakeCase('имя'), 'имя')
  assert.is(snakeCase('v2Users'), 'v2_users')
  assert.is(snakeCase('x'.repeat(500)).length, 100)
})

test('a name without letters and digits is refused', async () => {
  for (const name of ['', '  ', '../..', '___', '🎉']) await failure('USAGE', () => snakeCase(name))
})

test('the folder is what stands before the pattern in the first glob that adds files', () => {
  assert.is(folderOf(['migrations/*']), 'migrations')
  assert.is(folderOf(['!x/*', 'db/tenant/**/*.{ts,sql}', 'other/*']), 'db/tenant')
  assert.is(folderOf(['*.sql']), '')
  assert.is(folderOf(['migrations/001.sql']), 'migrations')
  assert.is(folderOf(['/srv/app/*.ts']), '/srv/app')
  assert.is(folderOf(['../db/\\(new\\)/*']), '../db/(new)')
})

test('the file is called by the time in UTC and the name', async () => {
  const folder = await makeFolder()
  const { files } = await create(folder, { name: 'Add users' })
  assert.equal(files, [join(folder, 'migrations/20260102030405_add_users.ts')])
})

test('sql is two files, up first', async () => {
  const { files } = await create(await makeFolder(), { name: 'x', format: 'sql' })
  assert.equal(
    files.map((file) => basename(file)),
    ['20260102030405_x.sql', '20260102030405_x.down.sql'],
  )
})

test('the format is what the folder holds most of', async () => {
  const formatIn = async (...names: string[]) => {
    const folder = await makeFolder(Object.fromEntries(names.map((name) => [`migrations/${name}`, ''])))
    const { files } = await create(folder, { name: 'x' })
    return files.map((file) => basename(file).replace(/^.*_x/, '')).join()
  }
  assert.is(await formatIn('1.cjs', '2.cjs', '3.ts'), '.cjs')
  assert.is(await formatIn('1.js'), '.mjs')
  assert.is(await formatIn('1.sql', '1.down.sql', '2.ts', '3.ts'), '.ts')
  assert.is(await formatIn('README.md'), '.ts')
})

test('a second migration within a second takes the next one, so that both keep their order and their ids', async () => {
  const folder = await makeFolder()
  const [first] = (await create(folder, { name: 'z' })).files
  const [second] = (await create(folder, { name: 'a' })).files
  assert.equal([first, second].map((file) => basename(file ?? '')), ['20260102030405_z.ts', '20260102030406_a.ts']) // prettier-ignore
})

test('of many that create the same at once each has a file of its own or MIGRATION_EXISTS', async () => {
  const folder = await makeFolder({ 'migrations/.keep': '' })
  const attempts = await Promise.allSettled(
    Array.from({ length: 20 }, () => create(folder, { name: 'same' })),
  )
  const files = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? attempt.value.files : []))
  assert.ok(files.length >= 1)
  assert.is(new Set(files).size, files.length)
  const refused = attempts.filter((attempt) => attempt.status === 'rejected')
  assert.ok(refused.length >= 1, 'all look before the first one writes')
  for (const { reason } of refused) {
    assert.is(reason.title, 'Migration "20260102030405_same.ts" exists already.')
    assert.ok(isTenancyError(reason, 'MIGRATION_EXISTS'))
  }
})

test('among revisions of Alembic it gets one that sorts after them, and is not the next one there is', async () => {
  const folder = await makeFolder({ 'migrations/0a1b2c3d4e5f_a.ts': '', 'migrations/d6ba8c13303e_b.ts': '' })
  const names: string[] = []
  for (const name of ['c', 'd', 'e']) {
    const { files } = await create(folder, { name })
    names.push(...files.map((file) => basename(file)))
  }
  assert.ok(
    names.every((name) => /^d6[0-9a-f]{10}_[cde]\.ts$/.test(name) || name.startsWith('d7')),
    names.join(),
  )
  assert.equal(['d6ba8c13303e_b.ts', ...names].toSorted(), ['d6ba8c13303e_b.ts', ...names])
  assert.not.ok(names[0]?.startsWith('d6ba8c13303f'))
})

test('times without seconds are no revisions of Alembic, and neither is a mixture', async () => {
  for (const name of ['202601010101_a.ts', 'd6ba8c13303e_a.ts']) {
    const folder = await makeFolder({ 'migrations/001_x.ts': '', [`migrations/${name}`]: '' })
    const [file = ''] = (await create(folder, { name: 'x' })).files
    assert.is(basename(file), '20260102030405_x.ts')
  }
  const [file = ''] = (await create(await makeFolder({ 'migrations/202601010101_a.ts': '' }), { name: 'x' }))
    .files
  assert.is(basename(file), '20260102030405_x.ts')
})

test('after the last revision there can be, none is made up', async () => {
  const folder = await makeFolder({ 'migrations/ffffffffffff_a.ts': '' })
  const { title } = await failure('USAGE', () => create(folder, { name: 'x' }))
  assert.is(title, 'No revision sorts after ffffffffffff.')
})

test('one of the shared schema says so', async () => {
  const [file = ''] = (await create(await makeFolder(), { name: 'x', shared: true })).files
  assert.match(await readFile(file, 'utf8'), 'Bare names mean the shared schema:')
})

test('an unknown format is refused', async () => {
  const folder = await makeFolder()
  await failure('USAGE', () => create(folder, { name: 'x', format: 'php' as 'ts' }))
})

test('a file that no glob would find is taken back', async () => {
  const folder = await makeFolder({ 'db/1.sql': '' })
  const error = await failure('CONFIG_INVALID', () =>
    create(folder, { name: 'x', format: 'mjs' }, ['db/*.sql']),
  )
  assert.match(error.message, '--format')
})

test('a TypeScript migration imports types only, so that it loads wherever the package is', async () => {
  const [file = ''] = (await create(await makeFolder(), { name: 'x', format: 'ts' })).files
  assert.is(basename(dirname(file)), 'migrations')
  assert.match(await readFile(file, 'utf8'), /^import type \{ Migration \} from 'umzug-tenants'\n/)
})

test('migrations that belong together have revisions that follow each other, and all are written or none', async () => {
  const names = async (present: Readonly<Record<string, string>>, globs = ['migrations/*.sql']) => {
    const baseDir = await makeFolder(present)
    const texts = (made: readonly string[]) => made.map((name) => [{ name: `${name}.sql`, text: '' }])
    try {
      await createMigrations({ name: 'more' }, ['', 'online'], { globs, baseDir, now }, texts)
    } catch (error) {
      assert.ok(isTenancyError(error))
    }
    return (await readdir(join(baseDir, 'migrations'))).toSorted()
  }
  assert.equal(await names({}), ['20260102030405_more.sql', '20260102030406_more_online.sql'])
  const alembic = (await names({ 'migrations/d6ba8c13303e_one.sql': '' })).map(revisionOf)
  assert.equal(alembic, [...new Set(alembic)])
  assert.ok(alembic.every((revision) => /^[0-9a-f]{12}$/.test(revision)))
  const taken = { 'migrations/20260102030406_more_online.sql': '' }
  assert.equal(await names(taken), [
    '20260102030405_more.sql',
    '20260102030406_more_online.sql',
    '20260102030407_more_online.sql',
  ])
  assert.equal(await names({}, ['migrations/*_more.sql']), [])
})

test.run()
