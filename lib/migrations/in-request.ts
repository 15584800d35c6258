/** Which migrations a request may run: short ones that can be rolled back. The others wait for a fleet's run. */
import { TenancyError } from '../errors.ts'
import type { LoadedMigration } from './files.ts'
import type { TransactionMode } from './plan.ts'
import type { Subject } from './subject.ts'

/** The first of `migrations` that no request may run. */
export function findUnfit(
  migrations: readonly Pick<LoadedMigration, 'name' | 'heavy' | 'transaction'>[],
  mode: TransactionMode,
): string | undefined {
  return migrations.find(({ heavy, transaction }) => heavy || !transaction || mode === 'none')?.name
}

/** @throws {@link TenancyError} TENANT_PENDING if one of `migrations` is not for a request; then none of them is run. */
export function assertFitForRequest(
  subject: Subject,
  migrations: readonly LoadedMigration[],
  mode: TransactionMode,
): void {
  const unfit = findUnfit(migrations, mode)
  if (unfit !== undefined) throw unfitForRequest(subject, unfit)
}

/** The error for a tenant that lacks a migration which no request may run. */
export function unfitForRequest(
  { id, schema }: Pick<Subject, 'id' | 'schema'>,
  migration: string,
): TenancyError {
  return new TenancyError(
    'TENANT_PENDING',
    `Migration "${migration}" of tenant "${id}" is not for a request.`,
    {
      tenant: id,
      schema,
      migration,
      detail: 'it is heavy, or runs outside a transaction',
      fix: [
        `run it: umzug-tenants up --tenant ${id}`,
        'or for everybody, when you deploy: umzug-tenants up --all',
      ],
      retryAfterSeconds: 30,
    },
  )
}
