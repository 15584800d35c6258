import { spawnSync } from 'node:child_process'

import pg from 'pg'
import * as assert from 'uvu/assert'

import { programEnvironment, withOption } from '../../lib/exec/environment.ts'
import { qualify, quoteIdentifier } from '../../lib/sql.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('exec/environment')
const database = testDatabase(test)

/** Names that the splitting of options, or the reading of a list of identifiers, could take apart. */
const ODD = [
  'plain', 'two words', 'a"b', `it's`, 'back\\slash', 'ends\\', 'a,b', '-c geqo=off', 'tab\there', 'Ünïcode 日本', 'x=y', '$users', '\\"',
] // prettier-ignore

test.before(async () => {
  for (const schema of ODD) {
    await database.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`)
    await database.query(`CREATE TABLE ${qualify(schema, 'owner')} AS SELECT $$${schema}$$ AS name`)
  }
})

test('a program is told its tenant by id and schema, beside what was there', () => {
  const env = programEnvironment({ id: 'a', schema: 's' }, ['shared'], { HOME: '/x' })
  assert.equal(env, {
    HOME: '/x',
    UMZUG_TENANT: 'a',
    UMZUG_TENANT_SCHEMA: 's',
    PGOPTIONS: '-c search_path="s",\\ "shared",\\ pg_temp',
  })
})

test('other options stay, and a backslash at their end takes nothing with it', () => {
  assert.is(withOption('-c geqo=off', 'x', 'y'), '-c geqo=off -c x=y')
  assert.is(withOption('  ', 'x', 'y'), '-c x=y')
  assert.is(withOption('-c a=b\\', 'x', 'y'), '-c a=b -c x=y')
  assert.is(withOption('-c a=b\\\\', 'x', 'y'), '-c a=b\\\\ -c x=y')
})

for (const schema of ODD) {
  test(`a connection of pg means schema ${JSON.stringify(schema)} by a bare name`, async () => {
    const { PGOPTIONS } = programEnvironment({ id: 'a', schema }, [], { PGOPTIONS: '-c search_path=public -c geqo=off' }) // prettier-ignore
    const client = new pg.Client({ connectionString: database.url, options: PGOPTIONS })
    await client.connect()
    try {
      const { rows } = await client.query(
        `SELECT name, current_setting('geqo') AS geqo, current_schema() AS schema FROM owner`,
      )
      assert.equal(rows, [{ name: schema, geqo: 'off', schema }])
    } finally {
      await client.end()
    }
  })
}

const hasPsql = spawnSync('psql', ['--version']).status === 0
if (!hasPsql) console.log('psql is not installed: its tests are left out')

for (const schema of hasPsql ? ODD : []) {
  test(`psql means schema ${JSON.stringify(schema)} by a bare name`, () => {
    const env = programEnvironment({ id: 'a', schema }, ['public'], { ...process.env })
    const { stdout, stderr } = spawnSync(
      'psql',
      ['--no-psqlrc', '-At', '-c', 'SELECT name FROM owner', database.url],
      { env: { ...env }, encoding: 'utf8' },
    )
    assert.is(stdout, `${schema}\n`, stderr)
  })
}

test.run()
