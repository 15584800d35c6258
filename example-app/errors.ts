/** Every error as JSON: a status, a code that programs can rely on, a title for people, and never any SQL. */
import { STATUS_CODES } from 'node:http'

import type { ErrorRequestHandler } from 'express'
import { ConnectionError, UniqueConstraintError, ValidationError } from 'sequelize'
import { isTenancyError } from 'umzug-tenants'

/** What a route throws to refuse a request. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, title: string) {
    super(title)
    this.status = status
    this.code = code
  }
}

interface Answer {
  readonly status: number
  readonly code: string
  readonly title?: string | undefined
  readonly retryAfterSeconds?: number | undefined
}

/** The last middleware. What is nobody's fault but ours goes to `log`. */
export function answerErrors(log: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const { status, code, title, retryAfterSeconds } = answerTo(error)
    if (status >= 500) log(error)
    if (response.headersSent) return next(error) // Express ends the connection: the client must not take half for all
    if (retryAfterSeconds !== undefined) response.set('retry-after', String(retryAfterSeconds))
    response.status(status).json({ error: { code, title } })
  }
}

function answerTo(error: unknown): Answer {
  if (error instanceof Refusal) return { status: error.status, code: error.code, title: error.message }
  if (isTenancyError(error)) {
    const { status, code, title, retryAfterSeconds } = error
    return { status, code, title: status < 500 ? title : undefined, retryAfterSeconds }
  }
  if (error instanceof UniqueConstraintError) {
    return { status: 409, code: 'CONFLICT', title: `Taken already: ${Object.keys(error.fields).join(', ')}.` }
  }
  if (error instanceof ValidationError) {
    const title = error.errors.map(({ message }) => message).join(' ')
    return { status: 422, code: 'VALIDATION_FAILED', title }
  }
  if (error instanceof ConnectionError) return { status: 503, code: 'DATABASE_UNREACHABLE' }
  return answerToParser(error) ?? { status: 500, code: 'INTERNAL_ERROR' }
}

/** What Express and its body parser refuse: malformed JSON, a body that is too large, a path that is no URL. */
function answerToParser(error: unknown): Answer | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined
  if (error.status < 400 || error.status > 499) return undefined
  const title = STATUS_CODES[error.status] ?? 'Bad Request'
  return { status: error.status, code: title.toUpperCase().replaceAll(/\W+/g, '_'), title: `${title}.` }
}
