/** A project's first files: configuration, folders and a migration. What is there already stays as it is. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { isMigrationName } from './migrations/revision.ts'
import { configTemplate, firstMigrationTemplate, type Language } from './migrations/starter.ts'
import { TenancyError } from './errors.ts'

export interface InitRequest {
  readonly folder: string
  readonly language: Language
  readonly now?: Date
}

/** Paths are relative to the folder. */
export interface InitReport {
  readonly language: Language
  readonly written: readonly string[]
  /** What was there already. */
  readonly left: readonly string[]
  /** Packages that are not among the project's dependencies yet. */
  readonly toInstall: readonly string[]
}

const CONFIG = /^umzug-tenants\.config\.[cm]?[jt]s$/

const PACKAGES = ['umzug-tenants', 'sequelize', 'pg']

/**
 * Writes what is missing.
 *
 * @throws {@link TenancyError} USAGE if a file is where a folder should be.
 */
export async function initProject({ folder, language, now = new Date() }: InitRequest): Promise<InitReport> {
  // All is looked at before anything is written.
  const config = (await namesIn(folder)).find((name) => CONFIG.test(name))
  const hasMigrations = (await namesIn(join(folder, 'migrations'))).some(isMigrationName)
  const folders: { path: string; isEmpty: boolean }[] = []
  for (const path of ['migrations/shared', 'seeders'])
    folders.push({ path, isEmpty: (await namesIn(join(folder, path))).length === 0 })
  const stamp = now.toISOString().replace(/\D/g, '').slice(0, 14)
  const left: string[] = []
  const written: string[] = []
  const write = async (path: string, text: string) => {
    ;((await writeNew(join(folder, path), text)) ? written : left).push(path)
  }
  // Two configurations would be one too many, whatever their extensions.
  if (config === undefined)
    await write(`umzug-tenants.config.${EXTENSION[language]}`, configTemplate(language))
  else left.push(config)
  if (hasMigrations) left.push('migrations')
  else
    await write(`migrations/${stamp}_create_users.${EXTENSION[language]}`, firstMigrationTemplate(language))
  // Git keeps no folder without a file.
  for (const { path, isEmpty } of folders) {
    if (isEmpty) await write(`${path}/.gitkeep`, '')
    else left.push(path)
  }
  return { language, written, left, toInstall: await missingPackages(folder) }
}

const EXTENSION = { ts: 'ts', esm: 'mjs', cjs: 'cjs' } as const

/** The language of the project in `folder`, if its files tell. */
export async function detectLanguage(folder: string): Promise<Language | undefined> {
  const manifest = await readManifest(folder)
  if (existsSync(join(folder, 'tsconfig.json')) || 'typescript' in dependenciesOf(manifest)) return 'ts'
  if (manifest === undefined) return undefined
  return manifest['type'] === 'module' ? 'esm' : 'cjs'
}

type Manifest = Readonly<Record<string, unknown>>

async function missingPackages(folder: string): Promise<readonly string[]> {
  const dependencies = dependenciesOf(await readManifest(folder))
  return PACKAGES.filter((name) => !(name in dependencies))
}

function dependenciesOf(manifest: Manifest | undefined): object {
  return { ...asObject(manifest?.['dependencies']), ...asObject(manifest?.['devDependencies']) }
}

/** A package.json that cannot be read tells nothing; it is not this command's to complain about. */
async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return asObject(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))) as Manifest
  } catch {
    return undefined
  }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw noFolder(folder)
    throw error
  }
}

/** Whether the file is new. */
async function writeNew(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function noFolder(path: string): TenancyError {
  return new TenancyError('USAGE', `${path} is not a folder.`, { fix: ['move the file away'] })
}
