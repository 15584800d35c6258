/** The guides as somebody who follows them: their files are written, their commands run, their output compared. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import * as assert from 'uvu/assert'

import { withoutAlembic } from './support/alembic.ts'
import { testDatabase } from './support/database.ts'
import { build, createProject, repository, type Project } from './support/project.ts'
import { suite, type Suite } from './support/suite.ts'

const run = promisify(execFile)

/** A step of a guide: a file, commands, or what the last command has printed. */
const STEP = /(?:^`(\S+)`\n\n)?^```(\w+)\n([^]*?)^```$/gm

const sequelizeCli = suite('guides: from-sequelize-cli')
follow(sequelizeCli, 'from-sequelize-cli')
sequelizeCli.run()

const fromAlembic = suite('guides: from-alembic')
if (withoutAlembic === undefined) follow(fromAlembic, 'from-alembic')
else fromAlembic(`is skipped: ${withoutAlembic}`, () => console.log(`    skipped: ${withoutAlembic}`))
fromAlembic.run()

function follow(test: Suite, guide: string): void {
  const database = testDatabase(test)
  let project: Project

  test.before(() => {
    build()
    project = createProject()
    // A project of the time of CommonJS, with the two commands that the guides have installed.
    project.write('package.json', JSON.stringify({ name: 'project', private: true }))
    const bin = join(project.folder, 'node_modules/.bin')
    mkdirSync(bin)
    symlinkSync(join(repository, 'dist/cli/main.js'), join(bin, 'umzug-tenants'))
    symlinkSync(join(repository, 'node_modules/sequelize-cli/lib/sequelize'), join(bin, 'sequelize-cli'))
  })

  test.after(() => project.remove())

  test('it works as it is written', async () => {
    const text = readFileSync(join(repository, `docs/${guide}.md`), 'utf8')
    let printed = ''
    let compared = 0
    for (const [, file, language, content = ''] of text.matchAll(STEP)) {
      if (file !== undefined) project.write(file, content)
      else if (language === 'console')
        for (const line of content.trim().split('\n')) printed = await shell(line)
      else if (language === 'text') {
        assert.is(printed, content)
        compared++
      }
    }
    assert.ok(compared >= 3, 'the guide shows what is printed')
  })

  async function shell(line: string): Promise<string> {
    // npx would look in node_modules/.bin as well, a second later.
    const path = [join(project.folder, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
    const { stdout } = await run('sh', ['-c', line.replaceAll('npx ', '')], {
      cwd: project.folder,
      env: { ...process.env, PATH: path, DATABASE_URL: database.url, NODE_ENV: 'development' },
    })
    return stdout
  }
}
