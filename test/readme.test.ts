/** The README's working example, file by file and command by command, in a project of its own. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import * as assert from 'uvu/assert'

import { testDatabase } from './support/database.ts'
import { request } from './support/http.ts'
import { build, createProject, repository, type Project } from './support/project.ts'
import { suite } from './support/suite.ts'

const run = promisify(execFile)

const test = suite('readme')
const database = testDatabase(test)
const readme = readFileSync(join(repository, 'README.md'), 'utf8')

let site: Project

test.before(() => {
  build()
  site = createProject('Web site ä') // a path with a space and a letter beyond ASCII
})

test.after(() => site.remove())

test("the README's working example works as it is written", async () => {
  const files = [...readme.matchAll(/^`(\S+\.ts)`.*\n\n```ts\n([^]*?)```/gm)]
  assert.equal(
    files.map((match) => match[1]?.replace(/^.*\//, '')),
    ['umzug-tenants.config.ts', '20261121090000_create_users.ts', 'server.ts'],
  )
  for (const [, file = '', text = ''] of files) {
    site.write(
      file,
      text.replace(
        'app.listen(3000)',
        "app.listen(0, '127.0.0.1', function () { console.log(this.address().port) })",
      ),
    )
  }
  const env = { ...process.env, DATABASE_URL: database.url }
  const cli = (args: string) =>
    run(process.execPath, [join(repository, 'dist/cli/main.js'), ...args.split(' ')], {
      cwd: site.folder,
      env,
    })
  const server = spawn(process.execPath, ['--import', 'tsx', 'server.ts'], {
    cwd: site.folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [printed] = (await once(server.stdout, 'data')) as [Buffer] // the event's one argument
    const port = Number(printed.toString())

    const commands = [...readme.matchAll(/^npx umzug-tenants ([^#\n]*[^#\n ])/gm)].map(
      (match) => match[1] ?? '',
    )
    assert.equal(commands, ['tenants create acme --host acme.localhost', 'status', 'up --all'])
    await cli(commands[0] ?? '')
    const answer = await request({ port, path: '/users', headers: { host: 'acme.localhost' } })
    assert.equal(answer.json(), { tenant: 'acme', users: [] })
    assert.match((await cli('status --json')).stdout, '"state": "ok"')
    assert.match((await cli('up --all --json')).stdout, '"unchanged": 1')
    assert.match((await cli('-x tenant=acme upgrade head --json')).stdout, '"unchanged": 1')
    assert.match((await cli('db:migrate --tenant acme --json')).stdout, '"unchanged": 1')
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})

test.run()
