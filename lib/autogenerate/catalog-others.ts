/** Questions to the catalogs about what models cannot say: settings of tables, and other kinds of objects. */
import { IS_FREE } from './catalog-tables.ts'

const SETTINGS = `
  SELECT 'setting', t.relname, 0, to_json(each.setting)
    FROM tables t
   CROSS JOIN LATERAL (
      SELECT unnest(t.reloptions)
      UNION ALL
      SELECT 'toast.' || unnest(x.reloptions) FROM pg_class x WHERE x.oid = t.reltoastrelid
      UNION ALL SELECT 'row security' WHERE t.relrowsecurity
      UNION ALL SELECT 'row security is forced' WHERE t.relforcerowsecurity
      UNION ALL SELECT 'unlogged' WHERE t.relpersistence = 'u'
      UNION ALL SELECT 'replica identity=' || CASE t.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' ELSE 'index' END
                 WHERE t.relreplident <> 'd'
      UNION ALL SELECT 'tablespace=' || s.spcname FROM pg_tablespace s WHERE s.oid = t.reltablespace
      UNION ALL SELECT 'access method=' || m.amname FROM pg_am m WHERE m.oid = t.relam AND m.amname <> 'heap'
      UNION ALL SELECT 'type=' || t.reloftype::regtype WHERE t.reloftype <> 0
      UNION ALL SELECT 'partition by ' || pg_get_partkeydef(t.oid) WHERE t.relkind = 'p'
      UNION ALL
      SELECT concat_ws(' ', CASE WHEN t.relispartition THEN 'partition of' ELSE 'inherits' END, i.inhparent::regclass,
                       pg_get_expr(t.relpartbound, t.oid))
        FROM pg_inherits i WHERE i.inhrelid = t.oid
    ) AS each (setting)`

/**
 * Of its options only those that can be set: some builds of the server keep notes of their own among them, which are
 * others for each table (seen in Debian's 15.20).
 */
const COLUMN_SETTINGS = `
  SELECT 'setting', a.relname, 0, to_json('column ' || quote_ident(a.attname) || ' ' || each.setting)
    FROM columns a
    JOIN pg_type t ON t.oid = a.atttypid
   CROSS JOIN LATERAL (
      SELECT 'storage=' || a.attstorage::text WHERE a.attstorage <> t.typstorage
      UNION ALL SELECT 'statistics=' || a.attstattarget WHERE a.attstattarget <> -1
      UNION ALL SELECT 'compression=' || a.attcompression::text WHERE a.attcompression <> ''
      UNION ALL SELECT option FROM unnest(a.attoptions) AS option WHERE option LIKE 'n\\_distinct%'
    ) AS each (setting)
   WHERE a.attstorage <> t.typstorage OR a.attstattarget <> -1 OR a.attcompression <> '' OR a.attoptions IS NOT NULL`

/** Of indexes, also of those that constraints stand on: of these PostgreSQL prints less. */
const INDEX_SETTINGS = `
  SELECT 'setting', t.relname, 0, to_json('index ' || quote_ident(x.relname) || ' ' || each.setting)
    FROM pg_index i
    JOIN tables t ON t.oid = i.indrelid
    JOIN pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_description d ON d.objoid = x.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
   CROSS JOIN LATERAL (
      SELECT 'is the replica identity' WHERE i.indisreplident
      UNION ALL SELECT 'is clustered' WHERE i.indisclustered
      UNION ALL SELECT 'tablespace=' || s.spcname FROM pg_tablespace s WHERE s.oid = x.reltablespace
      UNION ALL SELECT option
                  FROM unnest(x.reloptions || ('comment=' || d.description)) AS option
                 WHERE option IS NOT NULL
                   AND x.oid IN (SELECT k.conindid FROM constraints k WHERE k.contype IN ('p', 'u', 'x'))
    ) AS each (setting)
   WHERE i.indrelid = ANY (ARRAY(SELECT oid FROM tables))
     AND (i.indisreplident OR i.indisclustered OR x.reltablespace <> 0 OR x.reloptions IS NOT NULL
          OR d.description IS NOT NULL)
  UNION ALL
  SELECT 'setting', t.relname, 0,
         to_json(format('index %I statistics of %s=%s', i.indexrelid::regclass, a.attnum, a.attstattarget))
    FROM pg_index i
    JOIN tables t ON t.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = i.indexrelid
   WHERE a.attrelid = ANY (ARRAY(SELECT indexrelid FROM pg_index WHERE indrelid = ANY (ARRAY(SELECT oid FROM tables))))
     AND a.attnum > 0 AND coalesce(a.attstattarget, -1) <> -1`

/** A sequence that a column owns without being its serial; NOT NULL that rows need not obey yet (PostgreSQL 18). */
const OTHER_SETTINGS = `
  SELECT 'setting', t.relname, 0, to_json(format('column %I owns sequence %I', a.attname, s.relname))
    FROM sequences s
    JOIN tables t ON t.oid = s.owner
    JOIN columns a ON a.attrelid = s.owner AND a.attnum = s.attnum
   WHERE ${IS_FREE}
  UNION ALL
  SELECT 'setting', t.relname, 0, to_json(format('constraint %I NOT NULL is not valid', k.conname))
    FROM constraints k
    JOIN tables t ON t.oid = k.conrelid
   WHERE k.contype = 'n' AND NOT k.convalidated`

const VIEWS = `
  SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, '', 0,
         json_build_object(
           'name', c.relname,
           'definition', concat_ws(E'\\n',
             CASE WHEN c.relkind <> 'f' THEN pg_get_viewdef(c.oid) END,
             (SELECT 'columns: ' || string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                                               CASE WHEN a.attnotnull THEN 'NOT NULL' END), ', ' ORDER BY a.attnum)
                FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
             'options: ' || c.reloptions::text,
             (SELECT 'server: ' || concat_ws(' ', s.srvname, f.ftoptions::text)
                FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
             (SELECT string_agg('index: ' || pg_get_indexdef(i.indexrelid, 0, true), E'\\n'
                                ORDER BY pg_get_indexdef(i.indexrelid, 0, true))
                FROM pg_index i WHERE i.indrelid = c.oid),
             ${commentOf('pg_class', 'c.oid')}),
           'dependsOn', (SELECT json_agg(${columnsRead('pg_rewrite', 'w.oid')}) FROM pg_rewrite w
                          WHERE w.ev_class = c.oid))
    FROM relations c
   WHERE c.relkind IN ('v', 'm', 'f')`

/** A path that a function sets is compared without the schema's own name, which FROM CURRENT has written there. */
const FUNCTIONS = `
  SELECT 'function', '', 0,
         json_build_object(
           'name', format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
           'definition', concat_ws(E'\\n',
             concat_ws(' ', p.prokind, p.provolatile, p.proparallel, p.procost, p.prorows,
                       CASE WHEN p.proisstrict THEN 'STRICT' END, CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END,
                       CASE WHEN p.proleakproof THEN 'LEAKPROOF' END, l.lanname),
             pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
             (SELECT string_agg(array_to_string(ARRAY(
                       SELECT CASE WHEN word IN (quote_ident(own.nspname), '"' || own.nspname || '"') THEN '(own)' ELSE word END
                         FROM own, unnest(regexp_split_to_array(setting, '(?<==)|, *')) AS word), ', '), E'\\n')
                FROM unnest(p.proconfig) AS setting),
             (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggtranstype::regtype, g.agginitval, g.aggsortop)
                FROM pg_aggregate g WHERE g.aggfnoid = p.oid),
             p.probin,
             -- Without a text the body is kept parsed, and can be had in the whole definition only.
             CASE WHEN p.prosrc = '' AND p.prokind <> 'a'
                  THEN regexp_replace(pg_get_functiondef(p.oid), '^[^(]*', '') ELSE p.prosrc END,
             ${commentOf('pg_proc', 'p.oid')}),
           'dependsOn', json_build_array(${columnsRead('pg_proc', 'p.oid')}))
    FROM pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
   WHERE p.oid = ANY (ARRAY(SELECT objid FROM objects WHERE classid = 'pg_proc'::regclass))`

const TRIGGERS = `
  SELECT 'trigger', c.relname, 0,
         json_build_object(
           'name', format('%I on %I', t.tgname, c.relname),
           'definition', concat_ws(E'\\n', pg_get_triggerdef(t.oid, true),
             CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled in replicas' WHEN 'A' THEN 'enabled always' END,
             ${commentOf('pg_trigger', 't.oid')}),
           'dependsOn', json_build_array(${columnsRead('pg_trigger', 't.oid')}))
    FROM pg_trigger t
    JOIN relations c ON c.oid = t.tgrelid
   WHERE t.tgrelid = ANY (ARRAY(SELECT oid FROM relations WHERE relkind IN ('r', 'p', 'v', 'f'))) AND NOT t.tgisinternal`

const POLICIES = `
  SELECT 'policy', t.relname, 0,
         json_build_object(
           'name', format('%I on %I', p.polname, t.relname),
           'definition', concat_ws(E'\\n', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, p.polcmd,
             (SELECT 'to ' || string_agg(CASE WHEN r.oid = 0 THEN 'public' ELSE r.oid::regrole::text END, ', '
                                         ORDER BY r.oid::regrole::text) FROM unnest(p.polroles) AS r (oid)),
             'using ' || pg_get_expr(p.polqual, p.polrelid), 'with check ' || pg_get_expr(p.polwithcheck, p.polrelid),
             ${commentOf('pg_policy', 'p.oid')}),
           'dependsOn', json_build_array(${columnsRead('pg_policy', 'p.oid')}))
    FROM pg_policy p
    JOIN tables t ON t.oid = p.polrelid
   WHERE p.polrelid = ANY (ARRAY(SELECT oid FROM tables))`

const RULES = `
  SELECT 'rule', c.relname, 0,
         json_build_object(
           'name', format('%I on %I', w.rulename, c.relname),
           'definition', concat_ws(E'\\n', pg_get_ruledef(w.oid, true), CASE WHEN w.ev_enabled <> 'O' THEN 'enabled: ' || w.ev_enabled::text END,
             ${commentOf('pg_rewrite', 'w.oid')}),
           'dependsOn', json_build_array(${columnsRead('pg_rewrite', 'w.oid')}))
    FROM pg_rewrite w
    JOIN relations c ON c.oid = w.ev_class
   WHERE w.ev_class = ANY (ARRAY(SELECT oid FROM relations WHERE relkind IN ('r', 'p', 'v'))) AND w.rulename <> '_RETURN'`

const STATISTICS = `
  SELECT 'statistics', t.relname, 0,
         json_build_object(
           'name', s.stxname,
           'definition', concat_ws(E'\\n',
             substr(pg_get_statisticsobjdef(s.oid),
                    1 + length('CREATE STATISTICS ' || quote_ident((SELECT nspname FROM own)) || '.')),
             ${commentOf('pg_statistic_ext', 's.oid')}),
           'dependsOn', json_build_array(${columnsRead('pg_statistic_ext', 's.oid')}))
    FROM pg_statistic_ext s
    JOIN tables t ON t.oid = s.stxrelid
   WHERE s.oid = ANY (ARRAY(SELECT objid FROM objects WHERE classid = 'pg_statistic_ext'::regclass))`

/** Domains, composite types and what else is a type of its own, but for enums, arrays, and those of tables. */
const TYPES = `
  SELECT CASE WHEN t.typtype = 'd' THEN 'domain' ELSE 'type' END, '', 0,
         json_build_object(
           'name', t.typname,
           'definition', concat_ws(E'\\n',
             CASE t.typtype
               WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
                 CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0),
                 (SELECT 'COLLATE ' || quote_ident(o.collname) FROM pg_collation o
                   WHERE o.oid = t.typcollation AND o.collname <> 'default'),
                 -- By what depends on it: most constraints have no type, so to the planner all seem to have the same.
                 (SELECT string_agg(format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), ' ' ORDER BY k.conname)
                    FROM pg_constraint k
                   WHERE k.contypid = t.oid AND k.contype = 'c' AND k.oid = ANY (ARRAY(
                           SELECT d.objid FROM pg_depend d
                            WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid AND d.refobjsubid = 0
                              AND d.classid = 'pg_constraint'::regclass))))
               WHEN 'c' THEN (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)), ', '
                                                ORDER BY a.attnum)
                                FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
               WHEN 'r' THEN (SELECT concat_ws(' ', 'range of', r.rngsubtype::regtype, r.rngcanonical, r.rngsubdiff)
                                FROM pg_range r WHERE r.rngtypid = t.oid)
               ELSE t.typtype::text END,
             ${commentOf('pg_type', 't.oid')}),
           'dependsOn', json_build_array())
    FROM pg_type t
   WHERE t.oid = ANY (ARRAY(
           SELECT objid FROM objects WHERE classid = 'pg_type'::regclass
           UNION ALL SELECT reltype FROM relations WHERE relkind = 'c'))
     AND t.typtype <> 'e' AND t.typcategory <> 'A'`

/** What none of the others asks for: operators, collations, text search. */
const OBJECTS = `
  SELECT 'object', '', 0,
         json_build_object('name', concat_ws(' ', i.type, coalesce(i.name, pg_describe_object(o.classid, o.objid, 0))),
                           'definition', '', 'dependsOn', json_build_array())
    FROM objects o
   CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) AS i
   WHERE o.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_statistic_ext'::regclass)`

/** A line of the definition for the comment, if there is one. */
function commentOf(catalog: string, oid: string): string {
  return `(SELECT 'comment: ' || d.description FROM pg_description d
            WHERE d.objoid = ${oid} AND d.classoid = '${catalog}'::regclass AND d.objsubid = 0)`
}

/** Columns of the schema's tables that an object reads, as a JSON array of tables and columns. */
function columnsRead(catalog: string, oid: string): string {
  return `(SELECT json_agg(DISTINCT jsonb_build_object('table', target.relname, 'column', a.attname))
             FROM pg_depend d
             JOIN tables target ON target.oid = d.refobjid
             JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid}
              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0)`
}

export const OTHER_QUESTIONS: readonly string[] = [
  SETTINGS,
  COLUMN_SETTINGS,
  INDEX_SETTINGS,
  OTHER_SETTINGS,
  VIEWS,
  FUNCTIONS,
  TRIGGERS,
  POLICIES,
  RULES,
  STATISTICS,
  TYPES,
  OBJECTS,
]
