import * as assert from 'uvu/assert'

import { maskPasswords } from '../../lib/mask.ts'
import {
  committedText,
  durationText,
  errorText,
  failuresText,
  jsonText,
  planText,
  remainingText,
  sizeText,
  statusText,
  summaryText,
  table,
} from '../../lib/cli/print.ts'
import type { FleetReport, TenantOutcome } from '../../lib/cli/outcomes.ts'
import { plain } from '../../lib/cli/terminal.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/print')

const fleetOf = (tenants: readonly TenantOutcome[]): FleetReport => {
  const failed = tenants.filter(({ error }) => error !== undefined).length
  return { tenants, succeeded: tenants.length - failed, unchanged: 0, failed, notRun: 0 }
}

const failed: TenantOutcome = {
  id: 'b',
  schema: 'b',
  applied: [],
  durationMs: 0,
  error: {
    code: 'MIGRATION_FAILED',
    title: 'It failed.',
    migration: '2.sql',
    sqlstate: '23505',
    detail: 'dup\nrow',
    fix: [],
  },
}
const done: TenantOutcome = { id: 'a', schema: 'a', applied: ['1.sql', '2.sql'], durationMs: 5 }

test('columns are as wide as their widest cell, in letters, and no line ends in spaces', () => {
  assert.is(
    table(
      [
        ['A', 'B'],
        ['größer', 'x'],
        ['y', ''],
      ],
      plain,
    ),
    'A        B\ngrößer   x\ny\n',
  )
})

test('letters of every script line up: wide ones take two columns, marks none', () => {
  assert.is(
    table(
      [
        ['日本語', 'x'],
        ['e\u0301', 'y'],
        ['👩‍👧', 'z'],
      ],
      plain,
    ),
    '日本語   x\ne\u0301        y\n👩‍👧       z\n',
  )
})

test('a size is told in the unit that fits', () => {
  assert.equal([0, 512, 8192, 1_300_000, 5 * 2 ** 40].map(sizeText), ['0 B', '512 B', '8.0 kB', '1.2 MB', '5.0 TB']) // prettier-ignore
})

test('a fleet that was cut short says how many were not run, and how to go on', () => {
  const report = {
    tenants: [done, failed],
    succeeded: 1,
    unchanged: 0,
    failed: 1,
    notRun: 2,
    remaining: ['c', 'd'],
  }
  assert.is(summaryText(report, 'up to date', 0), '1 of 4 tenants up to date · 2 migrations · 0 ms\n')
  assert.match(failuresText(report, 'up', plain), '✖ 1 of 4 tenants failed, 1 done\n')
  assert.is(
    remainingText(report, 'up', false),
    '2 tenants were not run\nto go on: run the same command again, which does only what is left\n',
  )
  assert.is(
    remainingText({ ...report, remaining: ['c'] }, 'down', true),
    '1 tenant was not run\nto go on: run only these: umzug-tenants down --tenant c\n',
  )
  assert.is(remainingText(fleetOf([done]), 'up', false), '')
})

test('of many failures the first are named, and where to read the others', () => {
  const tenants = Array.from({ length: 23 }, (_, index) => ({ ...failed, id: `t${index}` }))
  const text = failuresText(fleetOf(tenants), 'up', plain)
  assert.match(text, /t19 +2\.sql.*\nand 3 more: --json names all\n/)
  assert.not.match(text, /t20 /)
})

test('a plan says which tenants would be refused, and why', () => {
  const error = { code: 'SCHEMA_MISSING', title: 'It is gone.', fix: ['create it'] } as const
  assert.is(
    planText([{ id: 'b', schema: 'b', migrations: [], error }], plain),
    'b (schema b) would be refused\n✖ SCHEMA_MISSING It is gone.\n  fix: create it\n',
  )
})

test('a table cannot be broken by line breaks or escape sequences in its cells', () => {
  assert.is(table([['A'], ['x\n\u001b[31my']], plain), 'A\nx  [31my\n')
})

test('the status has a row for each tenant', () => {
  const row = {
    id: 'a',
    schema: 's',
    current: null,
    head: '1.sql',
    executed: 0,
    pending: ['1.sql'],
    state: 'pending',
  } as const
  assert.is(
    statusText([row, { ...row, id: 'b', current: '1.sql', pending: [], state: 'ok' }], plain),
    'TENANT   SCHEMA   AT      PENDING   STATE\na        s        -       1         pending\nb        s        1.sql   0         ok\n',
  )
})

test('a committed run lists its migrations with their durations', () => {
  const migrations = [
    { name: '1.sql', durationMs: 41 },
    { name: '10.sql', durationMs: 1200 },
  ]
  assert.is(
    committedText({ tenant: 'a', schema: 's', direction: 'up', migrations }, plain),
    'a (schema s)\n  ✔ 1.sql    41 ms\n  ✔ 10.sql   1.2 s\n',
  )
  assert.match(
    committedText({ tenant: 'a', schema: 's', direction: 'down', migrations }, plain),
    '✔ reverted 1.sql',
  )
})

test('the summary counts tenants and migrations', () => {
  assert.is(summaryText(fleetOf([done]), 'up to date', 100), '1 tenant up to date · 2 migrations · 100 ms\n')
  assert.is(
    summaryText(fleetOf([done, failed]), 'up to date', 100),
    '1 of 2 tenants up to date · 2 migrations · 100 ms\n',
  )
  assert.is(summaryText(fleetOf([]), 'reverted', 0), '0 tenants unchanged · nothing to do · 0 ms\n')
  assert.is(summaryText(fleetOf([failed]), 'reverted', 0), '0 of 1 tenant reverted · nothing done · 0 ms\n')
})

test('failures name the tenant, the migration, the reason, and how to run only them again', () => {
  assert.is(
    failuresText(fleetOf([done, failed]), 'up', plain),
    '✖ 1 of 2 tenants failed, 1 done\nTENANT   MIGRATION   WHY\nb        2.sql       23505 dup\n' +
      'fix: mend the cause, then run only these: umzug-tenants up --tenant b\n',
  )
})

test('a plan lists what would run', () => {
  const plans = [{ id: 'a', schema: 's', migrations: ['1.sql'] }]
  assert.is(planText(plans, plain), 'a (schema s) would run 1 migration\n  1.sql\n')
})

test('an error shows its code, its detail and its remedies, and no control characters', () => {
  const text = errorText({ code: 'USAGE', title: 'No.', detail: 'one\ntwo\u001b[2J', fix: ['try'] }, plain)
  assert.is(text, '✖ USAGE No.\n  one\n  two [2J\n  fix: try\n')
})

test('an error says which tenant and migration it is about, once', () => {
  const facts = { tenant: 'acme', migration: '2.sql', sqlstate: '57P01', fix: [] } as const
  assert.is(
    errorText({ code: 'DATABASE_REFUSED', title: 'The server ended the connection.', ...facts }, plain),
    '✖ DATABASE_REFUSED The server ended the connection.\n  tenant acme, migration 2.sql, SQLSTATE 57P01\n',
  )
  assert.is(
    errorText(
      { code: 'MIGRATION_FAILED', title: 'Migration "2.sql" failed on tenant "acme" (57P01).', ...facts },
      plain,
    ),
    '✖ MIGRATION_FAILED Migration "2.sql" failed on tenant "acme" (57P01).\n',
  )
})

test('of a failure by a lock the fleet’s table names the session in the way', () => {
  const detail = 'canceling statement due to lock timeout\nheld by pid 7 (report, active for 9 s)'
  const error = { code: 'MIGRATION_FAILED', title: 'It failed.', sqlstate: '55P03', detail, fix: [] } as const
  assert.match(
    failuresText(fleetOf([{ ...failed, error }]), 'up', plain),
    '55P03 canceling statement due to lock timeout, held by pid 7 (report, active for 9 s)\n',
  )
})

test('durations are short to read', () => {
  assert.is(durationText(0.4), '0 ms')
  assert.is(durationText(999), '999 ms')
  assert.is(durationText(61_000), '1 min 1 s')
  assert.is(durationText(119_900), '2 min 0 s')
})

test('passwords of URLs and connection strings are masked, whatever characters they have', () => {
  assert.is(maskPasswords('no postgres://u:p%40ss@h/db here'), 'no postgres://u:***@h/db here')
  assert.is(maskPasswords('postgres://u:p@ss/word@h:1/db'), 'postgres://u:***@h:1/db')
  assert.is(maskPasswords('host=h password=secret user=u'), 'host=h password=*** user=u')
  assert.is(maskPasswords('postgres://h/db?password=secret&x=1'), 'postgres://h/db?password=***&x=1')
  assert.is(
    maskPasswords('see https://example.com/a:b and mail a@b'),
    'see https://example.com/a:b and mail a@b',
  )
})

test('passwords are masked in libpq strings, printed configurations and SQL, quoted or not', () => {
  const masked: readonly [string, string][] = [
    [`host=h password='a b\\' c' user=u`, 'host=h password=*** user=u'],
    ['PGPASSWORD=secret psql', 'PGPASSWORD=*** psql'],
    ['sslpassword=secret', 'sslpassword=***'],
    [`{ user: 'u', password: 'se"cret' }`, `{ user: 'u', password: '***' }`],
    ['{"password":"se\\"cret","port":1}', '{"password":"***","port":1}'],
    [`ALTER ROLE x PASSWORD 'it''s' LOGIN`, `ALTER ROLE x PASSWORD '***' LOGIN`],
    ['CREATE ROLE x PASSWORD $p$secret$p$', `CREATE ROLE x PASSWORD '***'`],
    ['postgresql://u:p%3Aa%2Fb@h postgres://v:q@i', 'postgresql://u:***@h postgres://v:***@i'],
  ]
  for (const [text, expected] of masked) assert.is(maskPasswords(text), expected)
  for (const advice of [
    'postgres://user:password@host/db',
    'PostgreSQL refused the password.',
    'the password of x',
  ])
    assert.is(maskPasswords(advice), advice)
})

test('a document with a password in it is masked and stays a document', () => {
  const text = jsonText({ detail: 'password=a"b\\n postgres://u:p@h' })
  assert.equal(JSON.parse(text), { detail: 'password=***"b\\n postgres://u:***@h' })
})

test.run()
