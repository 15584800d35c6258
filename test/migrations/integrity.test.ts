import * as assert from 'uvu/assert'

import {
  contentHash,
  findViolations,
  inOrderOfApplication,
  isAllowed,
  refuse,
  type RecordedRun,
  type Violation,
} from '../../lib/migrations/integrity.ts'
import { choose, compareHistory } from '../../lib/migrations/plan.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/integrity')

const DISK = ['1_a.sql', '2_b.sql', '3_c.sql']

const run = (
  migration: string,
  hash: string | null = null,
  direction: 'up' | 'down' = 'up',
): RecordedRun => ({
  migration,
  direction,
  hash,
})

/** The violations of running everything pending, short: `kind name`. */
function violations(
  onDisk: readonly string[],
  recorded: readonly string[],
  { runs = [], hashes = {} }: { runs?: readonly RecordedRun[]; hashes?: Record<string, string> } = {},
): readonly string[] {
  const history = compareHistory(onDisk, recorded)
  const chosen = choose('up', history, {})
  return findViolations({ history, runs, hashes: new Map(Object.entries(hashes)), chosen }).map(
    ({ kind, migration }) => `${kind} ${migration}`,
  )
}

for (const [what, recorded, expected] of [
  ['nothing recorded', [], []],
  ['the first ones recorded', ['1_a.sql', '2_b.sql'], []],
  ['everything recorded', DISK, []],
  ['a recorded file missing, with files pending', ['0_x.sql', '1_a.sql'], ['missing 0_x.sql']],
  ['a recorded file missing before the last one', [...DISK, '2_x.sql'], ['missing 2_x.sql']],
  ['a database that is merely ahead', [...DISK, '4_d.sql', '5_e.sql'], []],
  ['a database that is ahead and lacks one', ['1_a.sql', '2_b.sql', '4_d.sql'], ['missing 4_d.sql']],
  ['a late file', ['1_a.sql', '3_c.sql'], ['out-of-order 2_b.sql']],
  ['two late files', ['3_c.sql'], ['out-of-order 1_a.sql', 'out-of-order 2_b.sql']],
  [
    'another letter case recorded',
    ['1_A.sql', '2_b.sql', '3_c.sql'],
    ['missing 1_A.sql', 'out-of-order 1_a.sql'],
  ],
  ['another extension recorded', ['1_a.ts', '2_b.js', '3_c'], []],
] as const) {
  test(`${what}: ${expected.join(', ') || 'no violation'}`, () => {
    assert.equal(violations(DISK, recorded), expected)
  })
}

test('no file at all is a database that is ahead', () => assert.equal(violations([], DISK), []))

test('several missing ones are named by code point', () => {
  const recorded = ['ä.sql', 'a-1.sql', 'A_2.sql', '10.sql', '9.sql']
  assert.equal(
    violations(['z.sql'], recorded),
    ['10.sql', '9.sql', 'A_2.sql', 'a-1.sql', 'ä.sql'].map((name) => `missing ${name}`),
  )
})

for (const [what, runs, hashes, expected] of [
  ['an equal hash is no change', [run('1_a.sql', 'h')], { '1_a.sql': 'h' }, []],
  ['another hash is one', [run('1_a.sql', 'h')], { '1_a.sql': 'i' }, ['changed 1_a.sql']],
  ['no hash in the ledger is none', [run('1_a.sql')], { '1_a.sql': 'i' }, []],
  ['no row in the ledger is none', [], { '1_a.sql': 'i' }, []],
  ['a file that was not hashed is none', [run('1_a.sql', 'h')], {}, []],
  ['another extension is none', [run('1_a.ts', 'h')], { '1_a.sql': 'i' }, []],
  [
    'the extension of the last run decides',
    [run('1_a.sql', 'h'), run('1_a.ts', 'j')],
    { '1_a.sql': 'i' },
    [],
  ],
  ['what we reverted was applied by another tool', [run('1_a.sql', 'h', 'down')], { '1_a.sql': 'i' }, []],
  ['a row of what is not recorded is none', [run('9_z.sql', 'h')], { '9_z.sql': 'i' }, []],
] as const) {
  test(what, () => assert.equal(violations(DISK, DISK, { runs, hashes }), expected))
}

test('a change counts whether or not something is pending', () => {
  const facts = { runs: [run('1_a.sql', 'h')], hashes: { '1_a.sql': 'i' } }
  assert.equal(violations(DISK, ['1_a.sql'], facts), ['changed 1_a.sql'])
})

test('only what is about to run can be out of order', () => {
  const history = compareHistory(DISK, ['1_a.sql', '3_c.sql'])
  assert.equal(findViolations({ history, runs: [], hashes: new Map(), chosen: [] }), [])
})

const bytes = (text: string) => Buffer.from(text)

test('line endings and a byte order mark do not count, everything else does', () => {
  const hash = contentHash(bytes('SELECT 1;\nSELECT 2;\n'))
  for (const same of [
    'SELECT 1;\r\nSELECT 2;\r\n',
    'SELECT 1;\rSELECT 2;\r',
    '\uFEFFSELECT 1;\nSELECT 2;\n',
    '\uFEFFSELECT 1;\r\nSELECT 2;\n',
  ])
    assert.is(contentHash(bytes(same)), hash, JSON.stringify(same))
  for (const other of [
    'SELECT 1;\nSELECT 2;',
    'SELECT 1;\n\nSELECT 2;\n',
    'select 1;\nSELECT 2;\n',
    'SELECT 1; \nSELECT 2;\n',
    'SELECT 1;\n\uFEFFSELECT 2;\n',
  ])
    assert.is.not(contentHash(bytes(other)), hash, JSON.stringify(other))
})

test('a hash is SHA-256 in hexadecimal, of the bytes whatever their encoding', () => {
  assert.is(contentHash(bytes('')), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.is.not(contentHash(Buffer.from([0xe9])), contentHash(Buffer.from([0xe8])))
})

test('the order of application is that of the last runs, those without one first, by name', () => {
  const runs = [run('3_c.sql'), run('1_a.sql')]
  assert.equal(inOrderOfApplication(['0_x.sql', ...DISK], runs), ['0_x.sql', '2_b.sql', '3_c.sql', '1_a.sql'])
  assert.equal(inOrderOfApplication(DISK, []), DISK)
})

test('the order of application is by identity: a run of the .ts is one of the .js', () => {
  assert.equal(inOrderOfApplication(['1_a.js', '2_b.js'], [run('2_b.ts'), run('1_a.ts')]), [
    '2_b.js',
    '1_a.js',
  ])
})

test('what was reverted here and applied by another tool stands where it was reverted', () => {
  const runs = [run('1_a.sql'), run('2_b.sql', null, 'down'), run('3_c.sql')]
  assert.equal(inOrderOfApplication(DISK, runs), DISK)
})

const missing = (migration: string): Violation => ({ kind: 'missing', migration })
const SUBJECT = { id: 'acme', schema: 's', tenant: { id: 'acme', schema: 's' } }
const SHARED = { id: 'shared', schema: 'shared', tenant: undefined }

test('nothing is refused without a violation', () => assert.is(refuse([], SUBJECT, 'up'), undefined))

test('a refusal names tenant, file, both contents, the remedy and the flag', async () => {
  const changed: Violation = {
    kind: 'changed',
    migration: '1_a.sql',
    was: 'a'.repeat(64),
    is: 'b'.repeat(64),
  }
  const error = await failure('MIGRATION_CHANGED', () => refuse([changed], SUBJECT, 'up'))
  assert.equal([error.tenant, error.schema, error.migration, error.direction], ['acme', 's', '1_a.sql', 'up'])
  assert.equal([error.exitCode, error.status], [8, 503])
  assert.is(
    error.message,
    `Migration "1_a.sql" has changed since it was applied on tenant "acme".
  1_a.sql (was aaaaaaaaaaaa, is bbbbbbbbbbbb)
  fix: put the file back as it was, and make the change in a new migration
  fix: or let it pass: umzug-tenants up --tenant acme --allow-changed (allow: { changed: true })`,
  )
})

test('a refusal of a late file names the applied one', async () => {
  const late: Violation = { kind: 'out-of-order', migration: '1_a.sql', applied: '2_b.sql' }
  const error = await failure('MIGRATION_OUT_OF_ORDER', () => refuse([late], SHARED, 'up'))
  assert.equal([error.exitCode, error.status], [8, 503])
  assert.is(
    error.message,
    `Migration "1_a.sql" sorts before one that is applied on the shared schema already.
  1_a.sql sorts before 2_b.sql
  fix: rename it so that it sorts last
  fix: or let it pass: umzug-tenants up --shared --allow-out-of-order (allow: { outOfOrder: true })`,
  )
})

test('a refusal names a handful, and how many more there are', async () => {
  const all = ['1', '2', '3', '4', '5', '6', '7'].map(missing)
  const error = await failure('MIGRATION_MISSING', () => refuse(all, SUBJECT, 'down'))
  assert.equal([error.exitCode, error.status], [8, 503])
  assert.is(
    error.message,
    `7 migrations are applied on tenant "acme", and their files are missing.
  1, 2, 3, 4, 5, and 2 more
  fix: put the files back (from version control, or the release that had them)
  fix: or let them pass: umzug-tenants down --tenant acme --allow-missing (allow: { missing: true })`,
  )
})

test('the first kind is refused, with all of its kind and no other', async () => {
  const late: Violation = { kind: 'out-of-order', migration: 'x', applied: 'y' }
  const error = await failure('MIGRATION_MISSING', () =>
    refuse([missing('1'), late, missing('2')], SUBJECT, 'up'),
  )
  assert.is(error.detail, '1, 2')
})

test('an allowance is for its own kind', () => {
  const late: Violation = { kind: 'out-of-order', migration: 'x', applied: 'y' }
  assert.ok(isAllowed(missing('1'), { missing: true }))
  assert.ok(isAllowed(late, { outOfOrder: true }))
  for (const allow of [{}, { missing: false }, { changed: true, outOfOrder: true }])
    assert.not(isAllowed(missing('1'), allow))
})

test.run()
