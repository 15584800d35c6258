/** The scripts of `completion`, each in its shell; a shell that is not installed is left out, and named. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { run } from '../../../lib/cli/program.ts'
import { fakeTerminal } from '../../support/cli.ts'
import { temporaryFolders } from '../../support/folder.ts'
import { suite } from '../../support/suite.ts'

const test = suite('cli/completion')
const makeFolder = temporaryFolders(test)

/** What is typed, and what is offered. */
const OFFERS: Readonly<Record<string, string>> = {
  'umzug-tenants stat': 'status',
  'umzug-tenants tenants cr': 'create',
  'umzug-tenants tenants create --ho': '--host',
  'umzug-tenants up --te': '--tenant --tenants-file',
  'umzug-tenants create x --format ': 'cjs mjs sql ts',
  'umzug-tenants create x --format m': 'mjs',
  'umzug-tenants db:migrate:undo': 'db:migrate:undo db:migrate:undo:all',
  'umzug-tenants db:migrate:st': 'db:migrate:status',
  'umzug-tenants completion ': 'bash fish zsh',
  'umzug-tenants -x tenant=a upgrade --d': '--dry-run',
  'umzug-tenants up --tenant ': '',
  'umzug-tenants up --tenant down --dry': '--dry-run',
  'umzug-tenants --config odd': 'odd-name.mjs',
  'umzug-tenants exec --all -- odd': 'odd-name.mjs',
}

let folder: string

test.before(async () => {
  folder = await makeFolder({ 'odd-name.mjs': '' })
  for (const shell of ['bash', 'zsh', 'fish']) {
    const terminal = fakeTerminal()
    assert.is(await run(['completion', shell], terminal), 0)
    await writeFile(join(folder, `script.${shell}`), terminal.printed.out)
  }
})

const isInstalled = (shell: string) => spawnSync(shell, ['--version']).status === 0

/** A test for each line in `shell`, if it is there. */
function inShell(shell: string, offer: (line: string) => string, lines = Object.keys(OFFERS)): void {
  if (!isInstalled(shell)) console.log(`${shell} is not installed: its tests are left out`)
  for (const line of isInstalled(shell) ? lines : []) {
    test(`${shell} offers "${OFFERS[line]}" for "${line}"`, () => assert.is(offer(line), OFFERS[line]))
  }
}

const sorted = (text: string) => text.split('\n').filter(Boolean).toSorted().join(' ')

const bash = (line: string, breaks = '') =>
  sorted(
    execFileSync('bash', ['--norc', '-c', `
      source ./script.bash; COMP_WORDBREAKS=$2; COMP_LINE=$1; COMP_POINT=\${#1}
      _umzug_tenants; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', line, breaks], { cwd: folder, encoding: 'utf8' }),
  ) // prettier-ignore

inShell('bash', (line) => bash(line))

if (isInstalled('bash')) {
  test('bash, which divides at colons, is given what comes after the last one', () => {
    assert.is(bash('umzug-tenants db:migrate:undo', ' :'), 'undo undo:all')
    assert.is(bash('umzug-tenants db:migrate:undo:', ' :'), 'all')
  })

  test('bash completes up to the cursor, whatever follows it', () => {
    const script = `source ./script.bash; COMP_LINE='umzug-tenants stat --all'; COMP_POINT=18; _umzug_tenants; echo "\${COMPREPLY[*]}"`
    assert.is(execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' }), 'status\n')
  })

  test('bash is told to use the script for the program', () => {
    const registered = execFileSync('bash', ['--norc', '-c', 'source ./script.bash; complete -p umzug-tenants'], { cwd: folder, encoding: 'utf8' }) // prettier-ignore
    assert.is(registered, 'complete -F _umzug_tenants umzug-tenants\n')
  })
}

inShell('fish', (line) => {
  const script = 'source ./script.fish; complete -C $argv[1]'
  const offers = execFileSync('fish', ['--no-config', '-c', script, line], { cwd: folder, encoding: 'utf8' })
  return sorted(offers.replace(/\t.*$/gm, ''))
})

/** At a terminal: zsh completes where lines are edited and nowhere else. What has one answer is put in. */
const ZSH = `
  zmodload zsh/zpty
  zpty z zsh -f -i
  zpty -w z 'PROMPT=; autoload -Uz compinit; compinit -u -D; source ./script.zsh; print REA""DY'
  out=; repeat 200; do sleep 0.05; zpty -rt z line && out+=$line; [[ $out = *READY* ]] && break; done
  zpty -w -n z "$1"$'\\t'
  out=; repeat 100; do sleep 0.05; zpty -rt z line && out+=$line; [[ $out = *$2* ]] && break; done
  zpty -d z; print -r -- $out`

inShell(
  'zsh',
  (line) => {
    const wanted = `${line.slice(0, line.lastIndexOf(' ') + 1)}${OFFERS[line]}`
    const out = execFileSync('zsh', ['-f', '-c', ZSH, 'zsh', line, wanted], { cwd: folder, encoding: 'utf8' })
    return out.includes(wanted) ? (OFFERS[line] ?? '') : out
  },
  Object.keys(OFFERS).filter((line) => /^\S+$/.test(OFFERS[line] ?? '')),
)

test('a shell there is no script for is refused', async () => {
  const terminal = fakeTerminal()
  assert.is(await run(['completion', 'csh'], terminal), 2)
  assert.match(terminal.printed.err, 'Allowed choices are bash, zsh, fish.\n')
})

test('version prints what --version prints, and a document', async () => {
  const [flag, command, json] = [fakeTerminal(), fakeTerminal(), fakeTerminal()]
  assert.is(await run(['--version'], flag), 0)
  assert.is(await run(['version'], command), 0)
  assert.is(await run(['version', '--json'], json), 0)
  assert.is(command.printed.out, flag.printed.out)
  assert.equal(JSON.parse(json.printed.out), { version: flag.printed.out.trim() })
})

test.run()
