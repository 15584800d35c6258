/** The answer to who asks whether the process is well: a load balancer, a deployment, a dashboard. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { isTenancyError } from '../errors.ts'
import type { Tenancy } from '../tenancy.ts'

/**
 * A handler, for Express or Node's own server, that answers with `tenancy.health()`. A tenant that is behind or failing
 * is no reason to take a process out of service, so the answer is 200; it is 503 if the ledger cannot be read.
 *
 * @example
 * ```ts
 * app.get('/health', health(tenancy))
 * ```
 */
export function health(tenancy: Tenancy): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => {
    tenancy.health().then(
      (report) => answer(response, 200, report),
      (error: unknown) =>
        answer(response, 503, {
          status: 'unknown',
          error: { code: isTenancyError(error) ? error.code : 'UNEXPECTED' },
        }),
    )
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.end(JSON.stringify(body))
}
