/** Preflight: mistakes that would make tests silently not run. */
import { readdirSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { suite } from './support/suite.ts'

const folder = new URL('.', import.meta.url).pathname
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.test.ts'),
)

const test = suite('suites')

for (const file of files) {
  test(`${file} runs each suite it makes, through the suite that reports failing hooks`, () => {
    const text = readFileSync(join(folder, file), 'utf8')
    const made = [...text.matchAll(/^const (\w+) = suite\(/gm)].map((match) => match[1])
    assert.ok(made.length > 0, 'a test file makes a suite')
    for (const name of made)
      assert.ok(new RegExp(`^${name}\\.run\\(\\)`, 'm').test(text), `${name}.run() is missing`)
    assert.not.ok(/^import .* from 'uvu'/m.test(text), "import suite from 'support/suite.ts'")
    assert.not.ok(/\.(?:only|skip)\(/.test(text), 'only and skip hide tests')
  })
}

const FAILING_HOOKS = {
  before: "test.before(() => { throw new Error('set-up') })",
  'before.each': "test.before.each(() => { throw new Error('set-up') })",
  'after.each': "test.after.each(() => { throw new Error('clean-up') })",
  after: "test.after(() => { throw new Error('clean-up') })",
}

for (const [hook, text] of Object.entries(FAILING_HOOKS)) {
  test(`a throwing ${hook} fails the run`, () => {
    const scratch = mkdtempSync(join(tmpdir(), 'umzug-tenants-suite-'))
    try {
      const file = join(scratch, 'failing.test.ts')
      const support = JSON.stringify(join(folder, 'support/suite.ts'))
      writeFileSync(
        file,
        `import { suite } from ${support}\nconst test = suite('x')\n${text}\ntest('passes', () => {})\ntest.run()\n`,
      )
      const { status } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
        cwd: folder,
        encoding: 'utf8',
      })
      assert.is(status, 1)
    } finally {
      rmSync(scratch, { recursive: true })
    }
  })
}

test.run()
