/** `lint`: what in migration files cannot be the same for all tenants. It reads files, and opens no database. */
import { relative } from 'node:path'

import { isTenancyError } from '../../errors.ts'
import type { Finding } from '../../lint/finding.ts'
import type { LintOptions } from '../../lint/lint.ts'
import { show, type Invocation } from '../invocation.ts'
import { findingsText } from '../print.ts'

/** Exit code if something is found, as of every check that finds a difference. */
const FOUND = 3

export async function lint(
  invocation: Invocation,
  _flags: object,
  ...files: readonly string[]
): Promise<number> {
  const named = files.length > 0 ? files : undefined
  const options = await optionsOf(invocation, named !== undefined)
  const { lintMigrations } = await import('../../lint/lint.ts')
  const report = await lintMigrations(options, named)
  const findings = report.findings.map((finding) => ({ ...finding, file: shownPath(finding) }))
  const { terminal, json } = invocation
  show(invocation, { findings, files: report.files }, findingsText(findings, terminal.style.out))
  if (!json) terminal.err(summary(findings.length, report.files))
  return findings.length > 0 ? FOUND : 0
}

/** The configuration's; for files that were named the defaults will do, if there is none. */
async function optionsOf({ config: file }: Invocation, canDoWithout: boolean): Promise<LintOptions> {
  const [{ loadConfig }, { resolveOptions }] = await Promise.all([
    import('../../config.ts'),
    import('../../options.ts'),
  ])
  try {
    const { config, baseDir } = await loadConfig({ file })
    return resolveOptions(config, baseDir)
  } catch (error) {
    const isAbsent = isTenancyError(error, 'CONFIG_NOT_FOUND') && file === undefined
    if (canDoWithout && isAbsent) return resolveOptions({})
    throw error
  }
}

/** As editors and terminals open it: from here, if it is below. */
function shownPath({ file }: Finding): string {
  const path = relative(process.cwd(), file)
  return path.startsWith('..') ? file : path
}

function summary(findings: number, files: number): string {
  if (files === 0) return 'no migrations: nothing was read\n'
  const found = findings === 0 ? 'nothing found' : `${findings} finding${findings === 1 ? '' : 's'}`
  return `${found} in ${files} file${files === 1 ? '' : 's'}\n`
}
