/** `doctor`: what is not as it should be, and what to do about it; `--show-config`: which configuration is in effect. */
import { relative } from 'node:path'

import type { DoctorReport } from '../../doctor/doctor.ts'
import type { Finding } from '../../doctor/finding.ts'
import { show, withTenancy, withUrl, type Invocation } from '../invocation.ts'
import { table } from '../print.ts'
import type { Style } from '../terminal.ts'

export interface DoctorFlags {
  readonly showConfig?: boolean
}

/** Exit code for an environment that is not safe. */
const UNSAFE = 7

export async function doctor(invocation: Invocation, { showConfig }: DoctorFlags): Promise<number> {
  if (showConfig === true) return printConfig(invocation)
  const report = await withTenancy(invocation, (tenancy) => tenancy.doctor())
  const { terminal, json } = invocation
  show(
    invocation,
    report,
    report.findings.map((finding) => findingText(finding, terminal.style.out)).join(''),
  )
  if (!json) terminal.err(summary(report))
  return report.errors > 0 ? UNSAFE : 0
}

async function printConfig(invocation: Invocation): Promise<number> {
  const [{ loadConfig }, { resolveOptions }, { explainConfig }] = await Promise.all([
    import('../../config.ts'),
    import('../../options.ts'),
    import('../../config-origins.ts'),
  ])
  const { config: loaded, baseDir, path } = await loadConfig({ file: invocation.config })
  const config = withUrl(loaded, invocation)
  const file = relative(process.cwd(), path)
  const options = explainConfig(config, resolveOptions(config, baseDir), { file, url: invocation.url })
  const rows = options.map(({ option, value, origin }) => [
    option,
    Array.isArray(value) ? value.join(', ') : String(value ?? '-'),
    origin,
  ])
  show(invocation, { file: path, options }, table([['OPTION', 'VALUE', 'ORIGIN'], ...rows], invocation.terminal.style.out)) // prettier-ignore
  return 0
}

const SIGNS = { ok: '✔', warning: '!', error: '✖' } as const

function findingText({ level, title, detail, fix }: Finding, style: Style): string {
  // A name of an object may hold anything; it must not move the cursor.
  const printable = (text: string) => text.replace(/\p{Cc}/gu, ' ')
  const lines = [...(detail === undefined ? [] : [detail]), ...fix.map((step) => `fix: ${step}`)]
  const sign = style(level === 'ok' ? 'good' : 'bad', SIGNS[level])
  return [`${sign} ${printable(title)}\n`, ...lines.map((line) => `    ${printable(line)}\n`)].join('')
}

function summary({ errors, warnings, findings }: DoctorReport): string {
  if (errors + warnings === 0) return `all ${findings.length} checks are well\n`
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}\n`
}
