/**
 * Imports a file the user wrote: configuration, migration, seeder or models. The process's own loader comes
 * first, so that a module the application has imported already is the same module here; TypeScript that the
 * process cannot read goes through jiti.
 */
import { pathToFileURL } from 'node:url'

const TYPESCRIPT = /\.[cm]?ts$/

/** Node's words for "this is TypeScript, and nobody here reads it". */
const UNREADABLE = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
])

/** The module's exports: the namespace, or what `module.exports` or the default export holds. */
export async function importFile(path: string): Promise<Record<string, unknown>> {
  const namespace = await importNatively(path).catch(async (error: unknown) => {
    if (!TYPESCRIPT.test(path) || !isUnreadable(error)) throw error
    return importTypeScript(path)
  })
  return withDefaultSpread(namespace)
}

/** Only `file:` URLs: TypeScript rewrites relative specifiers of import(), and Windows paths are no specifiers. */
async function importNatively(path: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>
}

async function importTypeScript(path: string): Promise<Record<string, unknown>> {
  const { createJiti } = await import('jiti')
  return createJiti(import.meta.url, { fsCache: false }).import(path)
}

function isUnreadable(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return error instanceof SyntaxError || (typeof code === 'string' && UNREADABLE.has(code))
}

/**
 * One flat record of what the file offers: its named exports, and beneath them the members of its default
 * export, which is also where Node puts `module.exports` and where a compiled `exports.default` nests.
 */
function withDefaultSpread(namespace: Record<string, unknown>): Record<string, unknown> {
  let exported = namespace['default']
  const nested = (exported as { __esModule?: unknown; default?: unknown } | null | undefined) ?? undefined
  if (nested?.__esModule === true && nested.default !== undefined)
    exported = { ...nested, ...asRecord(nested.default) }
  return { ...asRecord(exported), ...namespace, default: exported }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
