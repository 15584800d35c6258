import * as assert from 'uvu/assert'

import { decideRenames } from '../../lib/autogenerate/decide.ts'
import { renamesOf, type RenameHints } from '../../lib/autogenerate/hints.ts'
import type { RenameCandidate } from '../../lib/autogenerate/renames.ts'
import { EMPTY, type Column, type Snapshot } from '../../lib/autogenerate/snapshot.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('autogenerate/hints')

function column(name: string): Column {
  return {
    name, type: 'integer', enum: null, isArray: false, collation: null, notNull: false, default: null,
    serial: null, identity: null, generated: null, dependsOn: [], isVolatile: false, comment: null,
  } // prettier-ignore
}

/** Tables by name, each with its columns. */
function snapshot(tables: Readonly<Record<string, readonly string[]>>): Snapshot {
  const list = Object.entries(tables).map(([name, columns]) => ({
    name,
    comment: null,
    columns: columns.map(column),
    constraints: [],
    indexes: [],
    settings: [],
  }))
  return { ...EMPTY, tables: list }
}

/** The renames in short: `table.old>new`, or `old>new` for a table. */
function order(hints: RenameHints, from: Snapshot, to: Snapshot): readonly string[] {
  return renamesOf(hints, from, to).map((each) =>
    each.kind === 'rename table' ? `${each.table}>${each.to}` : `${each.table}.${each.column}>${each.to}`,
  )
}

test('a chain begins at its end, so that each name is free when it is taken', () => {
  const hints = { columns: { 't.a': 'b', 't.b': 'c' } }
  assert.equal(order(hints, snapshot({ t: ['a', 'b'] }), snapshot({ t: ['b', 'c'] })), ['t.b>c', 't.a>b'])
})

test('a swap goes by way of a name that nobody has', () => {
  const both = snapshot({ t: ['a', 'b', 'a_aside'] })
  assert.equal(order({ columns: { 't.a': 'b', 't.b': 'a' } }, both, both), [
    't.a>a_aside2',
    't.b>a',
    't.a_aside2>b',
  ])
})

test('columns of a renamed table may be named by its old name or by its new one', () => {
  const [from, to] = [snapshot({ ps: ['nm'] }), snapshot({ people: ['name'] })]
  for (const place of ['ps.nm', 'people.nm']) {
    const hints = { tables: { ps: 'people' }, columns: { [place]: 'name' } }
    assert.equal(order(hints, from, to), ['ps>people', 'people.nm>name'])
  }
})

test('a table whose name has a dot is found', () => {
  const [from, to] = [snapshot({ 'a.b': ['c.d'] }), snapshot({ 'a.b': ['e'] })]
  assert.equal(order({ columns: { 'a.b.c.d': 'e' } }, from, to), ['a.b.c.d>e'])
})

const FROM = snapshot({ users: ['nm', 'email'], posts: ['x'] })
const TO = snapshot({ users: ['name', 'email'], articles: ['x'] })

const UNUSABLE: Readonly<Record<string, readonly [RenameHints, string]>> = {
  'a table that is not there': [{ columns: { 'nobody.nm': 'name' } }, 'no table "nobody"'],
  'a column that is not there': [{ columns: { 'users.mn': 'name' } }, 'no column "mn" in "users"'],
  'a new name that the models do not have': [{ columns: { 'users.nm': 'title' } }, 'the models have no column "title"'],
  'a new name that is taken': [{ columns: { 'users.nm': 'email' } }, 'has a column "email" in "users" already'],
  'no column at all': [{ columns: { users: 'name' } }, 'it names no column'],
  'a new table that the models do not have': [{ tables: { posts: 'news' } }, 'the models have no table "news"'],
  'an old table that is not there': [{ tables: { news: 'articles' } }, 'the specimen has no table "news"'],
  'a new table that is there': [{ tables: { posts: 'users' } }, 'has a table "users" already'],
} // prettier-ignore

for (const [what, [hints, why]] of Object.entries(UNUSABLE)) {
  test(`${what} is an error that says so`, async () => {
    const { message } = await failure('USAGE', () => renamesOf(hints, FROM, TO))
    assert.match(message, 'cannot be used')
    assert.match(message, why)
  })
}

const CANDIDATES: readonly RenameCandidate[] = [
  { kind: 'column', table: 't', from: 'a', to: 'b', score: 1 },
  { kind: 'table', table: 'x', from: 'x', to: 'y', score: 0.5 },
]

test('a pair that nobody decides on is refused, with a flag for each', async () => {
  const look = () => Promise.resolve(CANDIDATES)
  const { fix } = await failure('RENAME_UNDECIDED', () => decideRenames({}, { look, decide: undefined }))
  assert.equal(fix, [
    'if it was renamed: --rename t.a=b',
    'if it was renamed: --rename-table x=y',
    'if nothing was: --no-renames',
  ])
})

test('a yes becomes a hint, and a no is not asked again', async () => {
  const asked: string[] = []
  const hints = await decideRenames(
    {},
    {
      look: (known) => Promise.resolve(known.columns?.['t.a'] === 'b' ? CANDIDATES.slice(1) : CANDIDATES),
      decide: ({ from }) => {
        asked.push(from)
        return Promise.resolve(from === 'a')
      },
    },
  )
  assert.equal(asked, ['a', 'x'])
  assert.equal(hints, { columns: { 't.a': 'b' } })
})

test.run()
