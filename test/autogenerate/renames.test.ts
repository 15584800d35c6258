import * as assert from 'uvu/assert'

import { candidates, followingRenames } from '../../lib/autogenerate/renames.ts'
import { sqlOf } from '../../lib/autogenerate/sql.ts'
import { testDatabase } from '../support/database.ts'
import { inWords, testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'

const test = suite('renames')
const schemas = testSchemas(test, testDatabase(test))

/** Candidates from one schema to another, in words. */
async function between(before: string, after: string): Promise<readonly string[]> {
  await schemas.make('before', before)
  await schemas.make('after', after)
  const found = candidates(await schemas.read('before'), await schemas.read('after'))
  return found.map(({ kind, table, from, to }) =>
    kind === 'table' ? `${from}=${to}` : `${table}.${from}=${to}`,
  )
}

const users = (columns: string, name = 'users') => `CREATE TABLE ${name} (id serial PRIMARY KEY, ${columns});`

test('a column that goes and one of the same type that comes', async () => {
  assert.equal(await between(users('nm text'), users('title text')), ['users.nm=title'])
})

test('not one of another type, nor one that is computed', async () => {
  assert.equal(await between(users('a text, b integer'), users('c date, d uuid')), [])
  assert.equal(await between(users('a integer'), users('b integer GENERATED ALWAYS AS (id * 2) STORED')), [])
})

test('of several the most alike first: place, default and nullability tell', async () => {
  const before = users("a text NOT NULL DEFAULT 'x', b text")
  const after = users("c text NOT NULL DEFAULT 'x', d text")
  assert.equal((await between(before, after)).slice(0, 2), ['users.a=c', 'users.b=d'])
})

test('a table whose columns are mostly those of another, serial and enum included', async () => {
  const before = `CREATE TYPE enum_ps_role AS ENUM ('a'); ${users('name text, role enum_ps_role', 'ps')}`
  const after = `CREATE TYPE enum_people_role AS ENUM ('a'); ${users('name text, role enum_people_role', 'people')}`
  assert.equal(await between(before, after), ['ps=people'])
  assert.equal(await between(users('a text, b text', 'ps'), users('c text, d text', 'people')), [])
})

test('between the same there are none, nor where only one side has something', async () => {
  const same = users('a text, b text')
  assert.equal(await between(same, same), [])
  assert.equal(await between('', same), [])
  assert.equal(await between(same, ''), [])
})

test('a column of an enum, though its labels changed with its name', async () => {
  const before = `CREATE TYPE enum_users_role AS ENUM ('a'); ${users('role enum_users_role')}`
  const after = `CREATE TYPE enum_users_kind AS ENUM ('a', 'b'); ${users('kind enum_users_kind')}`
  assert.equal(await between(before, after), ['users.role=kind'])
})

test('the enum and the sequence of a renamed table follow it, and then nothing is left', async () => {
  await schemas.make('before', `CREATE TYPE enum_ps_role AS ENUM ('a'); ${users('role enum_ps_role', 'ps')}`)
  await schemas.make(
    'after',
    `CREATE TYPE enum_people_role AS ENUM ('a'); ${users('role enum_people_role', 'people')}`,
  )
  await schemas.change('before', 'ALTER TABLE ps RENAME TO people')
  const goal = await schemas.read('after')
  const renames = followingRenames(await schemas.read('before'), goal)
  assert.equal(inWords(renames), [
    'rename enum enum_ps_role enum_people_role',
    'rename sequence ps_id_seq people_id_seq',
  ])
  await schemas.change('before', renames.flatMap(sqlOf).join(';\n'))
  assert.equal(followingRenames(await schemas.read('before'), goal), [])
})

test('an enum that other columns have does not follow', async () => {
  await schemas.make('before', `CREATE TYPE a AS ENUM ('x'); ${users('one a, two a')}`)
  await schemas.make(
    'after',
    `CREATE TYPE b AS ENUM ('x'); CREATE TYPE c AS ENUM ('x'); ${users('one b, two c')}`,
  )
  assert.equal(followingRenames(await schemas.read('before'), await schemas.read('after')), [])
})

test.run()
