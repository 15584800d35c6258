/** A tenant's schema and a folder of migrations, over which releases with other models come one after another. */
import { readFile } from 'node:fs/promises'

import { Sequelize, type Options } from 'sequelize'

import type { TenancyConfig } from '../../../lib/options.ts'
import { createTenancy, type Tenancy } from '../../../lib/tenancy.ts'
import type { TestDatabase } from '../../support/database.ts'
import { temporaryFolders } from '../../support/folder.ts'
import type { Suite } from '../../support/suite.ts'
import type { Define } from './case.ts'

export interface Project {
  readonly folder: string
  /** Id of its tenant, which is also its schema. */
  readonly tenant: string
  /** Runs `fn` with the tenancy of a release that has these models. */
  release<T>(define: Define, fn: (tenancy: Tenancy) => Promise<T>, config?: TenancyConfig): Promise<T>
}

export type MakeProject = (options?: Options) => Promise<Project>

let count = 0

export function projects(test: Suite, database: TestDatabase): MakeProject {
  const makeFolder = temporaryFolders(test)
  return async (options = {}) => {
    const folder = await makeFolder()
    count++
    const tenant = `case${count}`
    return {
      folder,
      tenant,
      async release(define, fn, config = {}) {
        const sequelize = new Sequelize(database.url, {
          dialect: 'postgres',
          logging: false,
          pool: { max: 2 },
          ...options,
        })
        define(sequelize)
        const tenancy = createTenancy({ sequelize, ...config }, { baseDir: folder })
        try {
          await tenancy.provision({ id: tenant, up: false })
          return await fn(tenancy)
        } finally {
          await tenancy.close()
          await sequelize.close()
        }
      },
    }
  }
}

export async function textOf(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
}
