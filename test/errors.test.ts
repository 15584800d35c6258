import * as assert from 'uvu/assert'

import { ERROR_CODES, isTenancyError, messageOf, TenancyError } from '../lib/errors.ts'
import { suite } from './support/suite.ts'

const test = suite('errors')

test('a message holds the title, the detail and each remedy on a line of its own', () => {
  const error = new TenancyError('LOCK_HELD', 'It is held.', { detail: 'by pid 1', fix: ['wait', 'end it'] })
  assert.is(error.message, 'It is held.\n  by pid 1\n  fix: wait\n  fix: end it')
})

test('a message without detail has no empty line', () => {
  assert.is(new TenancyError('USAGE', 'No.', { detail: '', fix: ['try'] }).message, 'No.\n  fix: try')
})

test('an error is told by code, and carries its exit code and HTTP status', () => {
  const facts = (code: (typeof ERROR_CODES)[number]) => {
    const error = new TenancyError(code, '', { fix: [] })
    return [error.exitCode, error.status]
  }
  assert.equal(facts('TENANT_UNKNOWN'), [9, 404])
  assert.equal(facts('MIGRATION_FAILED'), [1, 503])
  assert.equal(facts('LOCK_HELD'), [5, 503])
  assert.equal(facts('DATABASE_UNREACHABLE'), [6, 503])
  assert.equal(facts('CONFIRMATION_REQUIRED'), [10, 409])
})

test('every code has a documented exit code and a status that is an error', () => {
  for (const code of ERROR_CODES) {
    const { exitCode, status } = new TenancyError(code, '', { fix: [] })
    assert.ok([1, 2, 3, 5, 6, 7, 8, 9, 10].includes(exitCode), `${code} exits ${exitCode}`)
    assert.ok(status >= 400 && status < 600, `${code} answers ${status}`)
  }
})

test('an error as data has neither stack nor cause, and leaves out what is not known', () => {
  const cause = new Error('postgres://user:secret@host/db')
  const error = new TenancyError('MIGRATION_FAILED', 'It failed.', { tenant: 'a', fix: ['repair'], cause })
  assert.equal(JSON.parse(JSON.stringify(error)), {
    code: 'MIGRATION_FAILED',
    title: 'It failed.',
    tenant: 'a',
    fix: ['repair'],
  })
  assert.is(error.cause, cause)
})

test('an error as data holds tenant, migration, SQLSTATE and detail where they are known', () => {
  const facts = { tenant: 'a', migration: '1.sql', sqlstate: '42P01', detail: 'no table', fix: [] }
  const error = new TenancyError('MIGRATION_FAILED', 'It failed.', facts)
  assert.equal(error.toJSON(), { code: 'MIGRATION_FAILED', title: 'It failed.', ...facts })
})

test('an error of another copy of the package is recognised', () => {
  const foreign = Object.assign(new Error('x'), { name: 'TenancyError', code: 'USAGE' })
  assert.ok(isTenancyError(foreign))
  assert.ok(isTenancyError(foreign, 'USAGE'))
  assert.not(isTenancyError(foreign, 'LOCK_HELD'))
})

test('what is no TenancyError is not taken for one', () => {
  for (const thrown of [
    undefined,
    null,
    'TenancyError',
    { name: 'TenancyError', code: 'USAGE' },
    new Error('x'),
  ]) {
    assert.not(isTenancyError(thrown))
  }
})

test('anything thrown has a text', () => {
  assert.equal([new Error('a'), 'b', 3, undefined].map(messageOf), ['a', 'b', '3', 'undefined'])
})

test('its status can be set, as Koa does with every error that it answers', () => {
  const error = new TenancyError('TENANT_UNKNOWN', 'No such tenant.', { fix: [] })
  assert.is(Object.assign(error, { status: 410 }).status, 410)
})

test.run()
