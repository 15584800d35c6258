/** A project as a user has it: a folder of its own, in which the packages are installed and this one is built. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const repository = new URL('../..', import.meta.url).pathname

/** Packages a user of this one has installed beside it. */
const INSTALLED = [
  'sequelize',
  'pg',
  'express',
  'fastify',
  'koa',
  '@nestjs',
  'reflect-metadata',
  'rxjs',
  'uvu',
  'cls-hooked',
  'tsx',
  '@types',
]

export interface Project {
  readonly folder: string
  write(file: string, text: string): string
  remove(): void
}

/** The application's module that examples import: its Sequelize and a model. */
const DATABASE_TS = `
import { DataTypes, Sequelize } from 'sequelize'
export const sequelize = new Sequelize(process.env.DATABASE_URL ?? '', { logging: false })
export const User = sequelize.define('User', { email: DataTypes.TEXT }, { tableName: 'users', timestamps: false })
`

/** Set by run.ts for all files; a file run alone compiles for itself. */
const BUILT = 'UMZUG_TENANTS_TEST_BUILT'

let isBuilt = process.env[BUILT] !== undefined

export function useBuiltLibrary(): void {
  process.env[BUILT] = '1'
}

/** Compiles lib/ to dist/, as `npm publish` would; once in a run is enough. */
export function build(): void {
  if (isBuilt) return
  isBuilt = true
  // Its binary must be executable however often it is built: npx links it once and never looks again.
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'ignore'],
  })
}

/** A new project, with this package linked into it as `umzug-tenants`. */
export function createProject(name = 'project'): Project {
  const root = mkdtempSync(join(tmpdir(), 'umzug-tenants-'))
  const folder = join(root, name)
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(repository, join(folder, 'node_modules/umzug-tenants'))
  for (const installed of INSTALLED) {
    symlinkSync(join(repository, 'node_modules', installed), join(folder, 'node_modules', installed))
  }
  const project = {
    folder,
    write(file: string, text: string) {
      const path = join(folder, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
      return path
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
  project.write('package.json', JSON.stringify({ name: 'project', private: true, type: 'module' }))
  project.write('database.ts', DATABASE_TS)
  return project
}
