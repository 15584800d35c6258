/** What the compiler promises to users; checked by `npm run typecheck`, never run. */
import express, { type Request } from 'express'
import { expectTypeOf } from 'expect-type'

import {
  createTenancy,
  defineConfig,
  tenantMigrations,
  type AdoptReport,
  type ErrorCode,
  type FleetAdoptReport,
  type FleetDownReport,
  type FleetStampReport,
  type FleetUpReport,
  type Migration,
  type RedoReport,
  type StampReport,
  type Tenant,
  type TenantDownReport,
  type TenantHistory,
  type TenantStatus,
  type TenantUpReport,
} from '../../lib/index.ts'

expectTypeOf<Request['tenant']>().toEqualTypeOf<Tenant | undefined>()
express().use(tenantMigrations())

const tenancy = createTenancy(defineConfig({ migrations: ['a/*', 'b/*'], transaction: 'migration' }))

expectTypeOf(tenancy.up({ tenant: 'a' })).resolves.toEqualTypeOf<TenantUpReport>()
expectTypeOf(tenancy.up({ shared: true })).resolves.toEqualTypeOf<TenantUpReport>()
expectTypeOf(tenancy.up({ all: true, concurrency: 2 })).resolves.toEqualTypeOf<FleetUpReport>()
expectTypeOf(tenancy.status({ tenant: 'a' })).resolves.toEqualTypeOf<TenantStatus>()
expectTypeOf(tenancy.status()).resolves.toEqualTypeOf<readonly TenantStatus[]>()
expectTypeOf(tenancy.stamp({ tenant: 'a', to: 'head' })).resolves.toEqualTypeOf<StampReport>()
expectTypeOf(tenancy.stamp({ all: true, to: 0 })).resolves.toEqualTypeOf<FleetStampReport>()
expectTypeOf(tenancy.redo({ shared: true, to: 0 })).resolves.toEqualTypeOf<RedoReport>()
expectTypeOf(tenancy.adopt({ schema: 'a' })).resolves.toEqualTypeOf<AdoptReport>()
expectTypeOf(tenancy.adopt({ match: 'a*' })).resolves.toEqualTypeOf<FleetAdoptReport>()
expectTypeOf(tenancy.history()).resolves.toEqualTypeOf<readonly TenantHistory[]>()
expectTypeOf(tenancy.seed({ tenant: 'a' })).resolves.toEqualTypeOf<TenantUpReport>()
expectTypeOf(tenancy.seed({ all: true, skip: ['a'] })).resolves.toEqualTypeOf<FleetUpReport>()
expectTypeOf(tenancy.seed({ tenant: 'a', direction: 'down' })).resolves.toEqualTypeOf<TenantDownReport>()
expectTypeOf(
  tenancy.seed({ match: 'a*', direction: 'down', to: 0 }),
).resolves.toEqualTypeOf<FleetDownReport>()
expectTypeOf(tenancy.run('a', () => 1)).resolves.toEqualTypeOf<number>()
expectTypeOf(tenancy.current()).toEqualTypeOf<Tenant | undefined>()
expectTypeOf(tenancy.bind((text: string, count: number) => text.repeat(count))).parameters.toEqualTypeOf<
  [string, number]
>()
tenancy.on('tenant:failed', ({ error }) => expectTypeOf(error.code).toEqualTypeOf<ErrorCode>())

// @ts-expect-error a selection is needed
void tenancy.up({})
// @ts-expect-error to: 0 is for down
void tenancy.up({ tenant: 'a', to: 0 })
// @ts-expect-error where to is needed
void tenancy.stamp({ tenant: 'a' })
// @ts-expect-error a pattern makes many, which have ids of their own
void tenancy.adopt({ match: 'a*', id: 'a' })
// @ts-expect-error seed files are for tenants
void tenancy.seed({ shared: true })
// @ts-expect-error to: 0 is for down
void tenancy.seed({ tenant: 'a', to: 0 })
// @ts-expect-error no such event
tenancy.on('tenant:nonsense', () => {})
// @ts-expect-error no such mode
defineConfig({ transaction: 'always' })

export const up: Migration = async ({ name, context }) => {
  expectTypeOf(name).toEqualTypeOf<string>()
  expectTypeOf(context.schema).toEqualTypeOf<string>()
  await context.createTable('a', { id: context.Sequelize.DataTypes.INTEGER })
  const rows = await context.sql<{ id: number }>('SELECT id FROM a WHERE id > $1', [1])
  expectTypeOf(rows).toEqualTypeOf<{ id: number }[]>()
}
