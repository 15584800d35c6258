/** `init`: a project's configuration, folders and first migration. */
import type { InitReport } from '../../init.ts'
import { LANGUAGES, type Language } from '../../migrations/starter.ts'
import { show, type Invocation } from '../invocation.ts'
import { usage } from '../selection.ts'

export interface InitFlags {
  readonly language?: Language
}

export async function init(invocation: Invocation, { language }: InitFlags): Promise<number> {
  const { detectLanguage, initProject } = await import('../../init.ts')
  const folder = process.cwd()
  const report = await initProject({
    folder,
    language: language ?? (await detectLanguage(folder)) ?? (await askLanguage(invocation)),
  })
  const next = nextSteps(report)
  const lines = [
    ...report.written.map((path) => `wrote ${path}\n`),
    ...report.left.map((path) => `left ${path} as it is\n`),
  ]
  show(invocation, { ...report, next }, lines.join(''))
  if (!invocation.json) invocation.terminal.err(`next:\n${next.map((step) => `  ${step}\n`).join('')}`)
  return 0
}

/** What nobody can be asked is `esm`. */
async function askLanguage({ terminal, json }: Invocation): Promise<Language> {
  if (!terminal.interactive || json) return 'esm'
  const answer = (await terminal.ask('Language, ts, esm or cjs (esm): ')) || 'esm'
  const known = LANGUAGES.find((each) => each === answer.toLowerCase())
  if (known !== undefined) return known
  throw usage(`There is no language "${answer}".`, 'answer ts, esm or cjs, or add --language')
}

function nextSteps({ toInstall }: InitReport): readonly string[] {
  return [
    ...(toInstall.length > 0 ? [`npm install ${toInstall.join(' ')}`] : []),
    ...(process.env['DATABASE_URL'] ? [] : ['export DATABASE_URL=postgres://user:password@localhost:5432/database']),
    'npx umzug-tenants tenants create acme --up',
    'npx umzug-tenants status',
  ] // prettier-ignore
}
