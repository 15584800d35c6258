/** The configured folders: the migrations of tenants, those of the shared schema, and the seed files. */
import { findMigrations, type MigrationFile } from './migrations/files.ts'
import type { ResolvedOptions } from './options.ts'

export class Folders {
  readonly #options: ResolvedOptions

  constructor(options: ResolvedOptions) {
    this.#options = options
  }

  /** The tenants' migrations, as they are on disk now. */
  migrations(): Promise<readonly MigrationFile[]> {
    return findMigrations(this.#options.migrations, this.#options.baseDir)
  }

  /** The migrations of the shared schema, or those of the tenants. */
  migrationsOf(isShared: boolean): Promise<readonly MigrationFile[]> {
    if (!isShared) return this.migrations()
    return findMigrations(this.#options.sharedMigrations, this.#options.baseDir)
  }

  seeds(): Promise<readonly MigrationFile[]> {
    return findMigrations(this.#options.seeders, this.#options.baseDir)
  }
}
