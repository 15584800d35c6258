/**
 * What a tenant's migrations must not be misled by: objects in `public` that bear the names of theirs, with other
 * columns, labels and bodies. The names are those of everything that stock Sequelize had at any time of its run.
 */
import pg from 'pg'

import { query } from '../support/database.ts'

export interface Names {
  readonly tables: Set<string>
  readonly types: Set<string>
  readonly functions: Set<string>
  readonly indexes: Set<string>
}

export function noNames(): Names {
  return { tables: new Set(), types: new Set(), functions: new Set(), indexes: new Set() }
}

/** Adds what `public` of the client's database holds now. */
export async function collectNames(client: pg.Client, names: Names): Promise<void> {
  const { rows } = await client.query<{ kind: keyof Names; name: string }>(
    `SELECT CASE relkind WHEN 'i' THEN 'indexes' ELSE 'tables' END AS kind, relname AS name
       FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'i')
     UNION ALL
     SELECT 'types', typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
     UNION ALL
     SELECT 'functions', format('%I(%s)', proname, oidvectortypes(proargtypes))
       FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND NOT EXISTS (
              SELECT FROM pg_type t WHERE t.oid = ANY (proargtypes) AND typnamespace = 'public'::regnamespace)`,
  )
  for (const { kind, name } of rows) names[kind].add(name)
}

/** Creates the decoys in `public` of another database. */
export async function createDecoys(url: string, names: Names): Promise<void> {
  const quote = pg.escapeIdentifier
  const tables = [...names.tables].filter((name) => name !== 'SequelizeMeta')
  const indexes = [...names.indexes].filter((name) => !tables.includes(name))
  await query(
    url,
    [
      'CREATE TABLE public."a decoy" (decoy integer PRIMARY KEY, "decoy too" text);',
      `CREATE TABLE public."SequelizeMeta" (name varchar(255) PRIMARY KEY);
       INSERT INTO public."SequelizeMeta" VALUES ('decoy.js');`,
      ...tables.map(
        (table) => `
        CREATE TABLE public.${quote(table)} (
          id integer, decoy text PRIMARY KEY, name "char" UNIQUE,
          other integer CONSTRAINT no_such_constraint REFERENCES public."a decoy");
        INSERT INTO public.${quote(table)} VALUES (7, 'decoy', 'd', NULL);
        COMMENT ON TABLE public.${quote(table)} IS 'decoy';
        COMMENT ON COLUMN public.${quote(table)}.id IS 'decoy';
        COMMENT ON COLUMN public.${quote(table)}.name IS 'decoy';`,
      ),
      ...[...names.types].map((type) => `CREATE TYPE public.${quote(type)} AS ENUM ('decoy', 'admin');`),
      ...indexes.map(
        (index) => `CREATE INDEX IF NOT EXISTS ${quote(index)} ON public."a decoy" ("decoy too");`,
      ),
      ...[...names.functions].map(
        (
          name,
        ) => `CREATE FUNCTION public.${name} RETURNS ${name.startsWith('touch') || name.startsWith('write') ? 'trigger' : 'text'}
          LANGUAGE plpgsql AS $$ BEGIN RAISE 'a decoy was called'; END $$;`,
      ),
    ].join('\n'),
  )
}
