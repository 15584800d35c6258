/** Finds the configuration file and reads it. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { lilconfig } from 'lilconfig'

import { messageOf, TenancyError } from './errors.ts'
import { importFile } from './import-file.ts'
import type { TenancyConfig } from './options.ts'

const NAME = 'umzug-tenants'
const EXTENSIONS = ['ts', 'mts', 'js', 'mjs', 'cjs']

export interface LoadedConfig {
  readonly config: TenancyConfig
  /** Folder of the file: what its paths are relative to. */
  readonly baseDir: string
  readonly path: string
}

/**
 * The configuration of the nearest `umzug-tenants.config.{ts,mts,js,mjs,cjs}`, in `cwd` or above, or of `file`.
 *
 * @throws {@link TenancyError} CONFIG_NOT_FOUND; CONFIG_INVALID if it cannot be read or exports no object.
 */
export async function loadConfig({
  cwd = process.cwd(),
  file,
}: { cwd?: string; file?: string | undefined } = {}): Promise<LoadedConfig> {
  const load = async (path: string) => (await importConfig(path))['default']
  const finder = lilconfig(NAME, {
    searchPlaces: EXTENSIONS.map((extension) => `${NAME}.config.${extension}`),
    loaders: Object.fromEntries(EXTENSIONS.map((extension) => [`.${extension}`, load])),
    stopDir: resolve('/'),
  })
  if (file === undefined) {
    const found = await finder.search(cwd)
    if (found === null) throw notFound(cwd)
    return checked(found.filepath, found.config)
  }
  const path = resolve(cwd, file)
  if (!existsSync(path))
    throw new TenancyError('CONFIG_NOT_FOUND', `There is no file ${path}.`, { fix: ['correct --config'] })
  return checked(path, (await importConfig(path))['default'])
}

async function importConfig(path: string): Promise<Record<string, unknown>> {
  try {
    return await importFile(path)
  } catch (error) {
    throw new TenancyError('CONFIG_INVALID', `The configuration cannot be read: ${path}`, {
      detail: messageOf(error),
      fix: ['correct the file; it must export a configuration as its default'],
      cause: error,
    })
  }
}

function checked(path: string, exported: unknown): LoadedConfig {
  if (typeof exported !== 'object' || exported === null || Array.isArray(exported)) {
    throw new TenancyError('CONFIG_INVALID', `The configuration exports no object: ${path}`, {
      fix: ['export default defineConfig({ … }) from it, or module.exports = { … } in CommonJS'],
    })
  }
  return { config: exported, baseDir: dirname(path), path } // resolveOptions checks what is in it
}

function notFound(cwd: string): TenancyError {
  return new TenancyError(
    'CONFIG_NOT_FOUND',
    `No ${NAME}.config.{${EXTENSIONS.join(',')}} in ${cwd} or above.`,
    {
      fix: [
        `create ${NAME}.config.ts with: export default { url: process.env.DATABASE_URL }`,
        'or name another file with --config FILE',
      ],
    },
  )
}
