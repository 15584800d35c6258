/** What every command is given: where it writes, and the flags that all commands share. */
import { TenancyError } from '../errors.ts'
import type { TenancyConfig } from '../options.ts'
import type { Tenancy } from '../tenancy.ts'
import { maskPasswords } from '../mask.ts'
import { errorText, jsonText } from './print.ts'
import type { Terminal } from './terminal.ts'

export interface Invocation {
  readonly terminal: Terminal
  /** `--json`: one document on stdout and nothing else. */
  readonly json: boolean
  /** `--config FILE` */
  readonly config?: string | undefined
  /** `--url URL` */
  readonly url?: string | undefined
}

/** Writes a command's result: `document` for programs, or `text` for people. */
export function show({ terminal, json }: Invocation, document: object, text: string): void {
  terminal.out(json ? jsonText(document) : maskPasswords(text))
}

/** Writes why a command could not do its work. */
export function showError(
  { terminal, json }: Pick<Invocation, 'terminal' | 'json'>,
  error: TenancyError,
): void {
  if (json) terminal.out(jsonText({ error }))
  else terminal.err(errorText(error.toJSON(), terminal.style.err))
}

/**
 * Opens the tenancy of the configuration for the time of `fn`, and closes it with every connection behind it:
 * those of the application's own Sequelize would keep the process alive.
 *
 * @throws {@link TenancyError} CONFIG_NOT_FOUND, CONFIG_INVALID, and what `fn` throws.
 */
export async function withTenancy<T>(
  invocation: Invocation,
  fn: (tenancy: Tenancy) => Promise<T>,
): Promise<T> {
  // The library is loaded here and nowhere else, so that --help and --version are instant.
  const [{ loadConfig }, { createTenancy }] = await Promise.all([
    import('../config.ts'),
    import('../tenancy.ts'),
  ])
  const { config, baseDir } = await loadConfig({ file: invocation.config })
  const application = watchApplication(config.sequelize)
  try {
    const tenancy = createTenancy(withUrl({ ...config, ...application.option }, invocation), { baseDir })
    try {
      return await fn(tenancy)
    } finally {
      await tenancy.close()
    }
  } finally {
    await application.close()
  }
}

/** The application's Sequelize as an option, and a way to close it if it was made. */
function watchApplication(sequelize: TenancyConfig['sequelize']): {
  readonly option: Pick<TenancyConfig, 'sequelize'>
  close(): Promise<void>
} {
  if (typeof sequelize !== 'function') {
    return {
      option: sequelize === undefined ? {} : { sequelize },
      close: async () => sequelize?.close(),
    }
  }
  let made: { close(): Promise<void> } | undefined
  return {
    option: {
      sequelize: async () => {
        const instance = await sequelize()
        made = instance
        return instance
      },
    },
    close: async () => made?.close(),
  }
}

/** With `--url` everything goes to that server, whatever the configuration and the environment say. */
export function withUrl(config: TenancyConfig, { url, terminal }: Invocation): TenancyConfig {
  if (url === undefined) return config
  if (!/^postgres(?:ql)?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new TenancyError('USAGE', '--url is no PostgreSQL URL.', {
      fix: ['write postgres://user@host:5432/database, special characters of the password as %XX'],
    })
  }
  terminal.err('warning: --url is visible in the process list; set DATABASE_URL instead\n')
  if (config.tenants !== undefined) {
    // The registry would go on asking the application's own database.
    throw new TenancyError('USAGE', '--url does not reach a registry of the application.', {
      fix: ['set the database where the configuration takes it from, such as DATABASE_URL'],
    })
  }
  const { sequelize: _replaced, ...rest } = config
  return { ...rest, url, migrationUrl: url }
}
