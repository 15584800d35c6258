/** How long the comparison of models with a specimen takes, and the fingerprint of a tenant. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DataTypes, Sequelize } from 'sequelize'

import { withFingerprints } from '../lib/autogenerate/fingerprint.ts'
import { withSession } from '../lib/migrations/session.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { benchFingerprint } from './fingerprint.ts'

const MODELS = 40
const RUNS = 5

function define(sequelize: Sequelize, models: number): void {
  const made = Array.from({ length: models }, (_, index) =>
    sequelize.define(
      `model${index}`,
      {
        name: { type: DataTypes.STRING, allowNull: false, defaultValue: 'x' },
        email: { type: DataTypes.STRING, unique: true },
        state: DataTypes.ENUM('new', 'done'),
        price: DataTypes.DECIMAL(8, 2),
        data: { type: DataTypes.JSONB, defaultValue: {} },
        seenAt: DataTypes.DATE,
      },
      { indexes: [{ fields: ['name', 'state'] }, { fields: ['seenAt'] }] },
    ),
  )
  made.forEach((model, index) => {
    const target = made[(index + 1) % made.length]
    if (target !== undefined) model.belongsTo(target, { as: 'next' })
  })
}

export async function benchAutogenerate(url: string): Promise<string[]> {
  const baseDir = await mkdtemp(join(tmpdir(), 'umzug-tenants-bench-'))
  const open = async <T>(models: number, fn: (tenancy: Tenancy) => Promise<T>): Promise<T> => {
    const sequelize = new Sequelize(url, { dialect: 'postgres', logging: false })
    define(sequelize, models)
    const tenancy = createTenancy({ sequelize, searchPath: [] }, { baseDir })
    try {
      return await fn(tenancy)
    } finally {
      await tenancy.close()
      await sequelize.close()
    }
  }
  try {
    await open(MODELS, async (tenancy) => {
      await tenancy.provision({ id: 'specimen', up: false })
      await tenancy.autogenerate({ message: 'all' })
      await tenancy.up({ tenant: 'specimen' })
    })
    const check = await best(() => open(MODELS, async (tenancy) => timed(() => tenancy.check())))
    const generate = await best(() =>
      open(MODELS + 1, async (tenancy) =>
        timed(async () => {
          const { files } = await tenancy.autogenerate({ message: 'one more' })
          await Promise.all(files.map((file) => rm(file)))
        }),
      ),
    )
    const fingerprint = await best(() => fingerprintMs(url))
    return [
      `| ${MODELS} models against a specimen of ${MODELS} tables | ms |`,
      '|---|---|',
      `| check | ${Math.round(check)} |`,
      `| autogenerate of one more model, tried out up and down | ${Math.round(generate)} |`,
      `| fingerprint of the specimen | ${fingerprint.toFixed(1)} |`,
      '',
      ...(await benchFingerprint(url)),
    ]
  } finally {
    await rm(baseDir, { recursive: true })
  }
}

async function fingerprintMs(url: string): Promise<number> {
  const options = { connection: url, lockTimeoutMs: 0, statementTimeoutMs: 0 }
  return withSession(options, (session) =>
    withFingerprints(session, {}, async (take) => {
      await take('specimen')
      return timed(() => take('specimen'))
    }),
  )
}

async function timed(fn: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await fn()
  return performance.now() - startedAt
}

/** The shortest of some runs: what others do on the machine only adds to it. */
async function best(run: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let count = 0; count < RUNS; count++) least = Math.min(least, await run())
  return least
}
