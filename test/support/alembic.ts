/** A real Alembic, where there is one: Debian's packages alembic and python3-psycopg2. */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'

import type { TestDatabase } from './database.ts'
import type { Files } from './folder.ts'

const run = promisify(execFile)

/** Why no Alembic can be used here; `undefined` if one can. */
export const withoutAlembic: string | undefined = probe()

function probe(): string | undefined {
  const { error, status } = spawnSync('alembic', ['--version'], { stdio: 'ignore' })
  if (error !== undefined || status !== 0) return 'Alembic is not installed: apt-get install alembic'
  // Both come with Debian's Python, which need not be the first one on the path.
  const driver = spawnSync('/usr/bin/python3', ['-c', 'import psycopg2'], { stdio: 'ignore' })
  return driver.status === 0 ? undefined : 'Alembic has no driver: apt-get install python3-psycopg2'
}

/** An `env.py` that puts a tenant's tables and its version table into the schema that `-x tenant=` names. */
export const ENV_PY = `import os

from alembic import context
from sqlalchemy import create_engine, text

schema = context.get_x_argument(as_dictionary=True)["tenant"]
engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1))

with engine.begin() as connection:
    connection.execute(text(f'SET search_path TO "{schema}"'))
    connection.dialect.default_schema_name = schema
    context.configure(connection=connection, version_table_schema=schema)
    context.run_migrations()
`

/** A project of Alembic that creates a table for each revision, one after the other. */
export function alembicProject(tables: Readonly<Record<string, string>>): Files {
  const revisions = Object.keys(tables)
  const versions = Object.entries(tables).map(([revision, table], index) => [
    `alembic/versions/${revision}_${table}.py`,
    `import sqlalchemy as sa
from alembic import op

revision = ${JSON.stringify(revision)}
down_revision = ${index === 0 ? 'None' : JSON.stringify(revisions[index - 1])}


def upgrade():
    op.create_table("${table}", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    op.drop_table("${table}")
`,
  ])
  return {
    'alembic.ini': '[alembic]\nscript_location = alembic\n',
    'alembic/env.py': ENV_PY,
    ...(Object.fromEntries(versions) as Files),
  }
}

/** Runs Alembic in `folder`; the answer is what it prints. */
export async function alembic(
  folder: string,
  { url }: Pick<TestDatabase, 'url'>,
  ...args: readonly string[]
): Promise<string> {
  const env = { ...process.env, DATABASE_URL: url }
  const { stdout } = await run('alembic', [...args], { cwd: folder, env })
  return stdout.trim()
}
