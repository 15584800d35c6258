/** What the documents say is what the code does: codes, events, links, and every example runs. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import * as assert from 'uvu/assert'

import { ERROR_CODES } from '../lib/errors.ts'
import { testDatabase } from './support/database.ts'
import { build, createProject, repository, type Project } from './support/project.ts'
import { suite } from './support/suite.ts'

const run = promisify(execFile)
const read = (file: string) => readFileSync(join(repository, file), 'utf8')

const test = suite('docs')
const database = testDatabase(test)

let project: Project

test.before(() => {
  build()
  project = newProject()
})

test.after(() => project.remove())

/** A project with the migrations that the examples speak of. */
function newProject(): Project {
  const made = createProject()
  // Examples in NestJS are written as its users write them.
  made.write('tsconfig.json', JSON.stringify({ compilerOptions: { experimentalDecorators: true } }))
  made.write(
    'migrations/20260101000000_create_tables.sql',
    `CREATE TABLE notes (id serial PRIMARY KEY, text text);
     CREATE TABLE users (id serial PRIMARY KEY, email text);`,
  )
  return made
}

test('every error code has a section, and every section a code', () => {
  const sections = [...read('docs/errors.md').matchAll(/^## (\w+)$/gm)].map((match) => match[1])
  assert.equal(new Set(sections), new Set(ERROR_CODES))
})

test('every error section names its exit code and status', () => {
  const meanings = [...read('lib/errors.ts').matchAll(/^ {2}(\w+): \{ exitCode: (\d+), status: (\d+) \}/gm)]
  assert.is(meanings.length, ERROR_CODES.length)
  for (const [, code, exitCode, status] of meanings) {
    const section = read('docs/errors.md').split(`## ${code}\n`)[1]?.split('\n## ')[0] ?? ''
    assert.match(section, `Exit code ${exitCode}, HTTP ${status}.`)
  }
})

test('every event is documented', () => {
  const declared = [...read('lib/events.ts').matchAll(/^ {2}'([a-z:]+)': \{/gm)].map((match) => match[1])
  const documented = [...read('docs/events.md').matchAll(/^\| `([a-z:]+)`/gm)].map((match) => match[1])
  assert.ok(declared.length > 5)
  assert.equal(documented, declared)
})

test('the README has at most 200 lines', () => {
  assert.ok(read('README.md').split('\n').length <= 201)
})

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'example-app/README.md',
].concat(
  readdirSync(join(repository, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
)

for (const document of documents) {
  test(`links in ${document} lead somewhere`, () => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(
      (match) => match[1] ?? '',
    )
    const broken = links.filter((link) => !existsSync(join(repository, dirname(document), link)))
    assert.equal(broken, [])
  })
}

interface Example {
  readonly title: string
  readonly text: string
  /** The room an example of TSDoc stands in: its exports need no import there. */
  readonly room?: string
}

/** TSDoc examples of lib/, and the TypeScript of the documents that stands for itself. */
function examples(): Example[] {
  const rooms = readdirSync(join(repository, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const inCode = rooms.flatMap((room) =>
    [...read(`lib/${room}`).matchAll(/@example\n +\* ```ts\n([^]*?)\n? +\* ```/g)].map((match, index) => ({
      title: `lib/${room} ${index + 1}`,
      text: (match[1] ?? '').replace(/^ +\* ?/gm, ''),
      room: join(repository, 'lib', room),
    })),
  )
  const inDocuments = documents.flatMap((document) =>
    [...read(document).matchAll(/(?<!`\n\n)```ts\n([^]*?)```/g)]
      .map((match) => match[1] ?? '')
      .filter((text) => !/defineConfig|app\.listen|: Migration/.test(text)) // files of the README's project, run below
      .map((text, index) => ({ title: `${document} ${index + 1}`, text })),
  )
  return [...inCode, ...inDocuments]
}

/** What an example may use without saying where it comes from. */
const GIVEN: Readonly<Record<string, string>> = {
  app: "import express from 'express'\nconst app = express()",
  User: "import { User } from './database.ts'",
  sequelize: "import { sequelize } from './database.ts'",
}

function moduleOf({ text, room }: Example): string {
  // As it is published: what tsx would have to translate again in each process.
  const built = (file: string) =>
    file.replace(join(repository, 'lib'), join(repository, 'dist')).replace(/ts$/, 'js')
  const index = join(repository, 'lib/index.ts')
  const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(text)
  const declares = (name: string) => new RegExp(`(?:const |import [^']*\\b)${name}\\b`).test(text)
  const exported = (file: string) =>
    [...readFileSync(file, 'utf8').matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)].map(
      (match) => match[1] ?? '',
    )
  const fromIndex = [
    'createTenancy',
    'tenantMigrations',
    'byHost',
    'bySubdomain',
    'byHeader',
    'byPath',
    'byJwt',
  ]
  const lines: string[] = ["import * as assert from 'uvu/assert'"]
  for (const [name, file] of [
    ...(room === undefined ? [] : exported(room).map((own) => [own, room] as const)),
    ...fromIndex.map((own) => [own, index] as const),
  ]) {
    if (uses(name) && !declares(name) && !lines.some((line) => line.includes(` ${name} `))) {
      lines.push(`import { ${name} } from '${built(file)}'`)
    }
  }
  for (const [name, given] of Object.entries(GIVEN)) if (uses(name) && !declares(name)) lines.push(given)
  const ownTenancy = uses('tenancy') && !declares('tenancy')
  if (ownTenancy) {
    if (!lines.some((line) => line.includes(' createTenancy ')))
      lines.push(`import { createTenancy } from '${built(index)}'`)
    lines.push('const tenancy = createTenancy()')
  }
  // `expression // value` is a claim.
  const checked = text.replace(/^(?!const|await|import)(\S.*?) \/\/ ('.*'|\d+)$/gm, 'assert.equal($1, $2)')
  const closing = ownTenancy ? ['await tenancy.close()'] : []
  if (text.includes('tenancy.run(') && room !== undefined)
    closing.push("await (await import('./database.ts')).sequelize.close()")
  return [...lines, checked, ...closing].join('\n')
}

const fileOf = ({ title }: Example) => `example-${title.replaceAll(/\W+/g, '-')}.ts`

/** Drops all schemas but `public`. */
const EMPTY = `DO $$
  DECLARE name text;
  BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
    LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
  END $$`

const runProcess = (folder: string, file: string) =>
  run(process.execPath, ['--import', 'tsx', file], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: database.url },
    timeout: 150_000,
  })

/**
 * Runs modules of the project one after another in one process, as one for each would cost a second; the answer is
 * what each has failed with.
 */
async function runTogether(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  project.write(
    'run-together.ts',
    `import pg from 'pg'
     const failures = []
     for (const file of ${JSON.stringify(files)}) {
       // What one registers, another may register otherwise.
       const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
       await client.connect()
       await client.query(${JSON.stringify(EMPTY)})
       await client.end()
       await import('./' + file).catch((error) => failures.push([file, String(error?.stack)]))
     }
     process.stdout.write('\\n' + JSON.stringify(failures), () => process.exit())`,
  )
  const { stdout } = await runProcess(project.folder, 'run-together.ts')
  return new Map(JSON.parse(stdout.slice(stdout.lastIndexOf('\n'))) as [string, string][]) // what is written above
}

/** With the application's Sequelize as a copy of its own: one obeys one tenancy. */
const modules = examples().map((example, index) => {
  const ownDatabase = `database-${index}.ts`
  const text = moduleOf(example).replaceAll("'./database.ts'", `'./${ownDatabase}'`)
  return { ...example, file: fileOf(example), text, ownDatabase }
})
test.before(() => {
  const original = readFileSync(join(project.folder, 'database.ts'), 'utf8')
  for (const { file, text, ownDatabase } of modules) {
    project.write(file, text)
    if (text.includes(ownDatabase)) project.write(ownDatabase, original)
  }
})

/** A file of tests: they run when it has been loaded, and the process that ends tells how. */
const isTestFile = (text: string) => text.includes("from 'uvu'")
const together = modules.filter(({ text }) => !isTestFile(text))
let failures: Promise<ReadonlyMap<string, string>> | undefined

for (const { title, file, text } of modules) {
  test(`the example of ${title} runs`, async () => {
    if (isTestFile(text)) return testsPass(file, text)
    failures ??= runTogether(together.map((module) => module.file))
    const failure = (await failures).get(file)
    assert.is(failure, undefined, `${failure}\n--- ${file}\n${text}`)
  })
}

/** In a project of its own, as others have written migrations into theirs. */
async function testsPass(file: string, text: string): Promise<void> {
  const own = newProject()
  try {
    own.write(file, text)
    const { stdout } = await runProcess(own.folder, file)
    assert.match(stdout, /Total:\s+1\s+Passed:\s+1\s/)
  } finally {
    own.remove()
  }
}

test.run()
