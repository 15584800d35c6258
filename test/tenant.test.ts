import * as assert from 'uvu/assert'

import { checkId, createTenant, isPossibleId, normalizeHost, type NamePolicy } from '../lib/tenant.ts'
import { catalogOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('tenant')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const strict: NamePolicy = { names: 'strict', reserved: ['shared', 'Common'] }
const quoted: NamePolicy = { names: 'quoted', reserved: ['shared', 'Common'] }

const schemaError = (
  schema: string,
  policy: NamePolicy,
  code: 'TENANT_NAME_INVALID' | 'TENANT_NAME_RESERVED',
) => failure(code, () => createTenant({ id: 'a', schema }, policy))

test('the schema is the id unless it is given', () => {
  assert.equal(createTenant({ id: 'a' }, strict), { id: 'a', schema: 'a' })
  assert.equal(createTenant({ id: 'A-1', schema: 'a_1' }, strict), { id: 'A-1', schema: 'a_1' })
})

test('a tenant cannot be changed', () => {
  assert.throws(() => Object.assign(createTenant({ id: 'a' }, strict), { schema: 'b' }), TypeError)
})

test('a host is stored as it is compared; none is left out', () => {
  assert.equal(createTenant({ id: 'a', host: 'A.Example.com:443' }, strict).host, 'a.example.com')
  for (const host of [null, '']) assert.not('host' in createTenant({ id: 'a', host }, strict))
})

test('a host that is no host name is refused with the form it must have', async () => {
  const error = await failure('TENANT_NAME_INVALID', () => createTenant({ id: 'a', host: 'a/b' }, strict))
  assert.is(error.title, '"a/b" cannot be the host of tenant "a".')
  assert.match(error.message, 'use a host name such as acme.example.com: letters, digits, dots and hyphens')
})

for (const schema of [
  'public',
  'information_schema',
  'pg_temp',
  'pg_catalog',
  'pg_x',
  'PG_x',
  'Public',
  '$user',
]) {
  test(`O03 schema ${schema} is reserved by PostgreSQL, strict and quoted`, async () => {
    for (const policy of [strict, quoted]) {
      const error = await schemaError(schema, policy, 'TENANT_NAME_RESERVED')
      assert.is(error.title, `Schema name "${schema}" is reserved by PostgreSQL.`)
      assert.equal(error.fix, [
        "choose another name: public, information_schema, $user and pg_* are never a tenant's",
      ])
    }
  })
}

for (const schema of ['shared', 'Shared', 'common', 'umzug_tenants', 'UMZUG_TENANTS']) {
  test(`O03 schema ${schema} belongs to all tenants, strict and quoted`, async () => {
    for (const policy of [strict, quoted]) {
      const error = await schemaError(schema, policy, 'TENANT_NAME_RESERVED')
      assert.is(error.title, `Schema "${schema}" is shared by all tenants.`)
      assert.match(error.message, "the shared schemas and umzug_tenants cannot be a tenant's")
    }
  })
}

const NEEDS_QUOTES = ['a b', 'Ünïcode', '1', 'a.b', 'a;b', 'a"b', "a'b", 'A', 'a-b', '__proto__', 'a$b']

for (const schema of NEEDS_QUOTES) {
  test(`O04 schema ${schema} is refused by the strict rule, which names its pattern and the way out`, async () => {
    const error = await schemaError(schema, strict, 'TENANT_NAME_INVALID')
    assert.is(error.title, `${JSON.stringify(schema)} cannot be a schema name.`)
    assert.equal(error.fix, [
      'use a-z, 0-9 and _, beginning with a letter',
      "or set names: 'quoted' in the configuration",
    ])
    assert.equal([error.tenant, error.schema], ['a', schema])
  })

  test(`O04 schema ${schema} is accepted by the quoted rule as it is`, () => {
    assert.is(createTenant({ id: 'a', schema }, quoted).schema, schema)
  })
}

for (const [what, schema, bytes] of [
  ['64 ASCII letters', 'a'.repeat(64), 64],
  ['32 × é', 'é'.repeat(32), 64],
  ['16 × 𝒜', '𝒜'.repeat(16), 64],
  ['1000 letters', 'a'.repeat(1000), 1000],
] as const) {
  test(`O05 ${what} are too long, counted in bytes`, async () => {
    for (const policy of [strict, quoted]) {
      const error = await schemaError(schema, policy, 'TENANT_NAME_INVALID')
      assert.match(error.title, `has ${bytes} bytes, limit 63.`)
      assert.match(
        error.message,
        'shorten it: PostgreSQL would cut it silently, and two tenants could become one',
      )
      assert.ok(error.title.length < 200, 'the name in the message is not longer than needed')
    }
  })
}

test('O05 63 bytes are accepted', () => {
  assert.is(createTenant({ id: 'a', schema: 'a'.repeat(63) }, strict).schema.length, 63)
  assert.is(createTenant({ id: 'a', schema: `é${'é'.repeat(30)}a` }, quoted).schema.length, 32)
})

for (const [what, schema, shown] of [
  ['NUL', 'a\0b', '"a\\u0000b"'],
  ['a newline', 'a\nb', '"a\\nb"'],
  ['an escape sequence', 'a\u001b[31mb', '"a\\u001b[31mb"'],
  ['a right-to-left override', 'a\u202eb', '"a\\u202eb"'],
  ['an Arabic letter mark', 'a\u061cb', '"a\\u061cb"'],
  ['a bidi isolate', 'a\u2066b', '"a\\u2066b"'],
  ['a zero-width space', 'a\u200bb', '"a\\u200bb"'],
  ['a soft hyphen', 'a\u00adb', '"a\\u00adb"'],
  ['a tag character', 'a\u{e0041}b', '"a\\ue0041b"'],
  ['half a surrogate pair', 'a\ud800b', '"a\\ud800b"'],
] as const) {
  test(`O07 ${what} is refused even in quotes, and shown escaped`, async () => {
    for (const policy of [strict, quoted]) {
      const error = await schemaError(schema, policy, 'TENANT_NAME_INVALID')
      assert.is(error.title, `${shown} cannot be a schema name.`)
      assert.match(error.message, 'use letters, digits and _ without control or invisible characters')
    }
  })
}

test('O07 an empty schema is refused', async () => {
  assert.is((await schemaError('', quoted, 'TENANT_NAME_INVALID')).title, '"" cannot be a schema name.')
})

const NO_IDS = ['', ' a', 'a b', '../../x', '..\\x', 'a/b', 'a\nb', 'a\0', '-a', '__proto__', 'a;b', 'a"b', "a'b", 'a\u202e', 'a'.repeat(129)] // prettier-ignore

for (const id of NO_IDS) {
  test(`O11 O12 ${JSON.stringify(id.slice(0, 20))} cannot be a tenant id`, async () => {
    assert.not(isPossibleId(id))
    const error = await failure('TENANT_NAME_INVALID', () => checkId(id))
    assert.match(error.title, /cannot be a tenant id\.$/)
    assert.match(error.message, 'use a letter or digit, then up to 127 letters, digits or any of . _ : @ -')
  })
}

for (const id of [
  'a',
  '1',
  'Ünïcode',
  'constructor',
  'toString',
  'ann@example.com',
  'a:b',
  'a'.repeat(128),
]) {
  test(`O12 ${id.slice(0, 20)} can be a tenant id`, () => {
    assert.ok(isPossibleId(id))
    assert.is(checkId(id), id)
  })
}

test('an id or host that is no text is refused by the rules, not by a TypeError', async () => {
  // What a registry written in JavaScript may answer.
  const answers = [{ id: 7 }, {}, { id: 'a', schema: 7 }, { id: 'a', host: 7 }] as unknown as { id: string }[]
  for (const answer of answers) await failure('TENANT_NAME_INVALID', () => createTenant(answer, strict))
})

test('an id that is a number is told from one of the wrong form', async () => {
  const error = await failure('TENANT_NAME_INVALID', () => checkId(7))
  assert.is(error.title, 'A tenant id must be a text, not a number: "7".')
  assert.equal(error.fix, ['let the registry answer with texts: String(id)'])
})

for (const [host, name] of [
  ['acme.example.com', 'acme.example.com'],
  ['ACME.Example.COM', 'acme.example.com'],
  ['acme.example.com:8080', 'acme.example.com'],
  ['acme.example.com.', 'acme.example.com'],
  ['acme.example.com.:80', 'acme.example.com'],
  ['localhost', 'localhost'],
  ['a b', undefined],
  ['', undefined],
  ['-a.com', undefined],
  ['a.com\n', undefined],
  ['[::1]:80', undefined],
  ['a/../b', undefined],
  ['a'.repeat(300), undefined],
] as const) {
  test(`O10 host ${JSON.stringify(host.slice(0, 30))} is compared as ${name}`, () =>
    assert.is(normalizeHost(host), name))
}

test('O12 a tenant called like a member of Object is plainly unknown', async () => {
  const tenancy = await tenancyWith()
  for (const id of ['__proto__', 'constructor', 'toString']) {
    const error = await failure('TENANT_UNKNOWN', () => tenancy.find({ id }))
    assert.is(error.title, `No tenant "${id}" is registered.`)
  }
  assert.is(Object.getPrototypeOf({}), Object.prototype)
})

test('O12 constructor and toString live as tenants like any other', async () => {
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  for (const id of ['constructor', 'toString']) {
    await tenancy.provision({ id, schema: id.toLowerCase() })
    assert.is((await tenancy.status({ tenant: id })).state, 'ok')
    await tenancy.drop({ tenant: id, confirm: id })
  }
})

const INJECTIONS = [
  'a; DROP SCHEMA public CASCADE; --',
  'a"; DROP SCHEMA public CASCADE; --',
  "a'; DROP SCHEMA public CASCADE; --",
  "a' OR '1'='1",
  '$$; DROP SCHEMA public CASCADE; $$',
  'a\\"; DROP TABLE x',
  '"a", public',
  'a\0"; DROP SCHEMA public',
  '%s%I%L',
  '${a}',
]

test('O07 an injected id or schema is refused before anything changes in the database', async () => {
  const tenancy = await tenancyWith()
  const before = await catalogOf(database)
  for (const text of INJECTIONS) {
    await failure('TENANT_NAME_INVALID', () => tenancy.provision({ id: text }))
    await failure('TENANT_NAME_INVALID', () => tenancy.provision({ id: 'a', schema: text }))
    await failure('TENANT_NAME_INVALID', () => tenancy.provision({ id: 'a', host: text }))
    await failure('TENANT_NAME_INVALID', () => tenancy.up({ tenant: text }))
    await failure('TENANT_NAME_INVALID', () => tenancy.drop({ tenant: text, confirm: text }))
    await failure('TENANT_UNKNOWN', () => tenancy.find({ id: text }))
    await failure('TENANT_UNKNOWN', () => tenancy.find({ schema: text }))
    await failure('TENANT_UNKNOWN', () => tenancy.find({ host: text }))
    assert.equal(await tenancy.up({ match: text }).then(({ tenants }) => tenants), [])
  }
  assert.equal(await catalogOf(database), before)
})

for (const schema of [
  'a b',
  'Ünïcode',
  'select',
  'a"b',
  'a;b',
  'a.b',
  '1',
  "a'b",
  '$1',
  '%I',
  'a"; DROP SCHEMA public; --',
]) {
  test(`O04 quoted schema ${schema} lives a full life and leaves nothing`, async () => {
    const migrations = {
      ...createTable('1_notes', 'notes'),
      '2_mood.js': `exports.up = async ({ context }) => {
        const { queryInterface: q, Sequelize: { DataTypes: T } } = context
        await q.createTable('people', { id: { type: T.INTEGER, primaryKey: true }, mood: T.ENUM('good', 'bad') })
        await q.addColumn('people', 'note', { type: T.INTEGER, references: { model: 'notes', key: 'id' } })
        await q.addIndex('people', ['mood'])
      }
      exports.down = async ({ context: q }) => {
        await q.dropTable('people')
        await q.sql('DROP TYPE enum_people_mood')
      }`,
    }
    const tenancy = await tenancyWith(migrations, { names: 'quoted' })
    const elsewhere = async () =>
      (await catalogOf(database)).filter((line) => !line.includes(schema) && !line.includes('umzug_tenants'))
    const before = await elsewhere()
    const id = newId()
    await tenancy.provision({ id, schema })
    const inSchema = await database.query<{ relname: string }>(
      `SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = $1 AND relkind = 'r' ORDER BY relname`,
      [schema],
    )
    assert.equal(
      inSchema.map(({ relname }) => relname),
      ['SequelizeMeta', 'notes', 'people'],
    )
    assert.equal(await elsewhere(), before)
    assert.is((await tenancy.status({ tenant: id })).state, 'ok')
    await tenancy.run(id, () => undefined)
    assert.equal((await tenancy.down({ tenant: id })).reverted, ['2_mood.js'])
    assert.equal((await tenancy.up({ tenant: id })).applied, ['2_mood.js'])
    assert.equal((await tenancy.down({ tenant: id, to: 0 })).reverted, ['2_mood.js', '1_notes.sql'])
    await tenancy.drop({ tenant: id, confirm: id })
    assert.equal(await database.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]), [])
    assert.equal(await elsewhere(), before)
  })
}

test('O06 Acme and acme are not both registered', async () => {
  const tenancy = await tenancyWith({}, { names: 'quoted' })
  await tenancy.provision({ id: 'acme' })
  const byId = await failure('TENANT_CONFLICT', () => tenancy.provision({ id: 'Acme', schema: 'other' }))
  assert.is(byId.title, 'Tenant "Acme" would share its id with "acme".')
  const bySchema = await failure('TENANT_CONFLICT', () => tenancy.provision({ id: 'other', schema: 'ACME' }))
  assert.is(bySchema.title, 'Tenant "other" would share its schema with "acme".')
  assert.match(bySchema.message, 'letter case does not tell tenants apart')
  assert.equal(await database.query("SELECT FROM pg_namespace WHERE nspname IN ('ACME', 'other')"), [])
})

test('O06 a host is found in any letter case', async () => {
  const tenancy = await tenancyWith()
  await tenancy.provision({ id: 'cased', host: 'Cased.Example.com' })
  assert.is((await tenancy.find({ host: 'CASED.example.COM:3000' })).id, 'cased')
})

test('O70 an id with line breaks, colours or hidden marks is shown with these spelt out', async () => {
  const error = await failure('TENANT_NAME_INVALID', () => checkId('a\nb\u001b[31mc\u202ed\u200b'))
  assert.is(error.title, '"a\\nb\\u001b[31mc\\u202ed\\u200b" cannot be a tenant id.')
})

test.run()
