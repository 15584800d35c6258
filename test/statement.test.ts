import * as assert from 'uvu/assert'

import {
  controlsTransaction,
  isOrdinary,
  kindOfStatement,
  splitAtTransactionControl,
  splitStatements,
  staysOnConnection,
  withoutLeadingComments,
  type StatementKind,
} from '../lib/statement.ts'
import { suite } from './support/suite.ts'

const test = suite('statement')

const KINDS: readonly (readonly [StatementKind, readonly string[]])[] = [
  [
    'begin',
    ['BEGIN', 'begin;', 'START TRANSACTION', 'start  transaction isolation level serializable', 'Begin work'],
  ],
  [
    'control',
    [
      'COMMIT',
      'rollback',
      'ROLLBACK TO SAVEPOINT "x"',
      'END',
      'ABORT',
      'SAVEPOINT "a"',
      'RELEASE a',
      'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
      'SET LOCAL TRANSACTION READ ONLY',
      'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
      'DEALLOCATE x',
      'LISTEN c',
      'UNLISTEN *',
      "NOTIFY c, 'x'",
    ],
  ],
  [
    'batch',
    [
      'SELECT 1',
      '(SELECT 1) UNION (SELECT 2)',
      'insert into t values (1)',
      'WITH x AS (SELECT 1) SELECT * FROM x',
      'CREATE TABLE t ()',
      'CREATE UNLOGGED TABLE t ()',
      'CREATE TEMP TABLE t ()',
      'CREATE UNIQUE INDEX i ON t (a)',
      'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
      'ALTER TABLE t ADD a int',
      'DROP INDEX i',
      'TRUNCATE t',
      "COMMENT ON TABLE t IS 'x'",
      '/* a /* nested */ comment */ -- and a line\n  SELECT 1',
    ],
  ],
  [
    'alone',
    [
      'CREATE INDEX CONCURRENTLY i ON t (a)',
      'create unique  index concurrently i on t (a)',
      'DROP INDEX CONCURRENTLY i',
      'REINDEX TABLE CONCURRENTLY t',
      'VACUUM',
      'CALL p()',
      'DO $$ BEGIN COMMIT; END $$',
      'CREATE DATABASE d',
      'ALTER SYSTEM SET x = 1',
      'SET search_path TO a',
      '',
      '-- only a comment',
      '/* never closed',
    ],
  ],
]

for (const [kind, texts] of KINDS) {
  for (const text of texts) {
    test(`${JSON.stringify(text)} is ${kind}`, () => assert.is(kindOfStatement(text), kind))
  }
}

test('a word that only begins like a keyword is not that keyword', () => {
  assert.is(kindOfStatement('committed'), 'alone')
  assert.is(kindOfStatement('beginning'), 'alone')
  assert.is(kindOfStatement('selection'), 'alone')
})

test('leading comments, blanks, semicolons and parentheses are skipped, later ones stay', () => {
  assert.is(withoutLeadingComments(' ;( -- x\n/* y */ SELECT /* z */ 1'), 'SELECT /* z */ 1')
})

test('a block comment ends where its own end is, not where a nested one ends', () => {
  assert.is(withoutLeadingComments('/* a /* b */ COMMIT */ SELECT 1'), 'SELECT 1')
})

for (const [text, statements] of [
  ['SELECT 1; SELECT 2;', ['SELECT 1', ' SELECT 2']],
  ['SELECT 1', ['SELECT 1']],
  [' ;; -- nothing;\n /* ; */ ;', []],
  ['', []],
  ["SELECT ';' || ''';'; SELECT 2", ["SELECT ';' || ''';'", ' SELECT 2']],
  ["SELECT E'\\';'; SELECT 2", ["SELECT E'\\';'", ' SELECT 2']],
  ["SELECT type'\\'; SELECT 2", ["SELECT type'\\'", ' SELECT 2']],
  ['SELECT ";" FROM "a"";"; SELECT 2', ['SELECT ";" FROM "a"";"', ' SELECT 2']],
  ['SELECT 1 -- ;\n; SELECT 2', ['SELECT 1 -- ;\n', ' SELECT 2']],
  ['SELECT 1 /* ; /* ; */ ; */; SELECT 2', ['SELECT 1 /* ; /* ; */ ; */', ' SELECT 2']],
  ['DO $$ BEGIN; END $$; SELECT 2', ['DO $$ BEGIN; END $$', ' SELECT 2']],
  ['DO $a$ $$;$b$; $a$; SELECT 2', ['DO $a$ $$;$b$; $a$', ' SELECT 2']],
  ['SELECT a$b$ ; SELECT c$b$', ['SELECT a$b$ ', ' SELECT c$b$']],
  ['SELECT $1; SELECT $2', ['SELECT $1', ' SELECT $2']],
  ["SELECT 'never closed; SELECT 2", ["SELECT 'never closed", ' SELECT 2']],
  ['DO $$ never closed; SELECT 2', ['DO $$ never closed; SELECT 2']],
] as const) {
  test(`${JSON.stringify(text)} is ${statements.length} statements`, () =>
    assert.equal(splitStatements(text), [...statements]))
}

test('a text without anything to skip is returned as it is', () => {
  assert.is(withoutLeadingComments('SELECT 1'), 'SELECT 1')
})

for (const text of [
  'BEGIN; CREATE TABLE t (); COMMIT;',
  'start transaction isolation level serializable',
  '/* first */ commit',
  'ROLLBACK',
  'rollback work',
  'abort',
  "PREPARE TRANSACTION 'x'",
  'CREATE TABLE t (); ROLLBACK',
]) {
  test(`${text} controls a transaction`, () => assert.is(controlsTransaction(text), true))
}

for (const text of [
  'SAVEPOINT a; ROLLBACK TO a; RELEASE a',
  'ROLLBACK WORK TO SAVEPOINT a',
  'rollback transaction to a',
  'DO $$ BEGIN PERFORM 1; COMMIT; END $$',
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;',
  "INSERT INTO t VALUES ('; COMMIT;')",
  'PREPARE x AS SELECT 1',
  'SELECT 1 -- ; COMMIT',
]) {
  test(`${text} does not`, () => assert.is(controlsTransaction(text), false))
}

test('a text is divided at its transaction control, and only there', () => {
  assert.equal(splitAtTransactionControl('SELECT 1; BEGIN; SELECT 2; SELECT 3; COMMIT; SELECT 4;'), [
    'SELECT 1',
    ' BEGIN',
    ' SELECT 2; SELECT 3',
    ' COMMIT',
    ' SELECT 4',
  ])
  assert.is(splitAtTransactionControl('SELECT 1; SELECT 2'), undefined)
  assert.is(splitAtTransactionControl('COMMIT'), undefined)
})

for (const [text, stays] of [
  ['CREATE TEMP TABLE t ()', true],
  ['create global temporary table t ()', true],
  ['CREATE OR REPLACE TEMP VIEW v AS SELECT 1', true],
  ['CREATE TEMP TABLE t () ON COMMIT DROP', false],
  ['CREATE TEMP TABLE t () ON COMMIT DELETE ROWS', true],
  ['SELECT * INTO TEMP t FROM users', true],
  ['WITH u AS (SELECT 1) SELECT * INTO TEMPORARY TABLE t FROM u', true],
  ['DECLARE c CURSOR WITH HOLD FOR SELECT 1', true],
  ['DECLARE c CURSOR FOR SELECT 1', false],
  ['SET ROLE x', true],
  ['SET LOCAL ROLE x', false],
  ['SET SESSION AUTHORIZATION x', true],
  ["INSERT INTO posts VALUES ('x; CREATE TEMP TABLE t ()')", false],
  ["SELECT 'select into temp'; SELECT 1 -- set role x", false],
  ['SELECT 1; CREATE TEMP TABLE t ()', true],
  ['WITH "into temp" AS (SELECT 1) SELECT 1', false],
] as const) {
  test(`"${text}" ${stays ? 'stays' : 'leaves nothing'} on the connection`, () => {
    assert.is(staysOnConnection(text), stays)
  })
}

for (const [text, ordinary] of [
  ['SELECT 1', true],
  ['SELECT * FROM "users" WHERE "id" = 1;', true],
  ["INSERT INTO t VALUES ('x')", true],
  ['SELECT 1; SELECT 2', false],
  ["SELECT ';'", false],
  ['SELECT * INTO TEMP t FROM users', false],
  ['SELECT * INTO LOCAL TEMPORARY t FROM users', false],
  ['select 1', false],
  ['WITH x AS (SELECT 1) SELECT 1', false],
] as const) {
  test(`"${text}" is ${ordinary ? 'ordinary' : 'looked at closely'}`, () => {
    assert.is(isOrdinary(text), ordinary)
    if (ordinary) assert.equal([kindOfStatement(text), staysOnConnection(text)], ['batch', false])
  })
}

test.run()
