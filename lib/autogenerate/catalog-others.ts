/** Questions to the catalogs about objects that models cannot say: views, functions, triggers, types. */

/** All that is no table, enum or sequence, whoever describes it. */
export const OTHERS = `
  others AS MATERIALIZED (
    SELECT classid, objid FROM objects WHERE classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass)
    UNION ALL SELECT 'pg_class'::regclass, oid FROM relations WHERE relkind IN ('v', 'm', 'f')
    UNION ALL
    SELECT 'pg_type'::regclass, oid FROM pg_type
     WHERE oid = ANY (ARRAY(SELECT objid FROM objects WHERE classid = 'pg_type'::regclass
                            UNION ALL SELECT reltype FROM relations WHERE relkind = 'c'))
       AND typtype <> 'e' AND typcategory <> 'A'
    UNION ALL
    SELECT 'pg_trigger'::regclass, oid FROM pg_trigger
     WHERE tgrelid = ANY (ARRAY(SELECT oid FROM relations WHERE relkind IN ('r', 'p', 'v', 'f'))) AND NOT tgisinternal
    UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid = ANY (ARRAY(SELECT oid FROM tables))
    UNION ALL
    SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite
     WHERE ev_class = ANY (ARRAY(SELECT oid FROM relations WHERE relkind IN ('r', 'p', 'v'))) AND rulename <> '_RETURN'
  )`

/** How many there are; no row if there are none, and no reason then to ask the others. */
export const COUNT = `
  SELECT 'others', '', 0, to_json(count(*)) FROM others HAVING count(*) > 0`

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
   WHERE ${isOther('c.oid', 'pg_class')}`

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
   WHERE ${isOther('p.oid', 'pg_proc')}`

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
   WHERE ${isOther('t.oid', 'pg_trigger')}`

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
   WHERE ${isOther('p.oid', 'pg_policy')}`

const RULES = `
  SELECT 'rule', c.relname, 0,
         json_build_object(
           'name', format('%I on %I', w.rulename, c.relname),
           'definition', concat_ws(E'\\n', pg_get_ruledef(w.oid, true), CASE WHEN w.ev_enabled <> 'O' THEN 'enabled: ' || w.ev_enabled::text END,
             ${commentOf('pg_rewrite', 'w.oid')}),
           'dependsOn', json_build_array(${columnsRead('pg_rewrite', 'w.oid')}))
    FROM pg_rewrite w
    JOIN relations c ON c.oid = w.ev_class
   WHERE ${isOther('w.oid', 'pg_rewrite')}`

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
   WHERE ${isOther('s.oid', 'pg_statistic_ext')}`

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
   WHERE ${isOther('t.oid', 'pg_type')}`

/** What none of the others asks for: operators, collations, text search. */
const OBJECTS = `
  SELECT 'object', '', 0,
         json_build_object('name', concat_ws(' ', i.type, coalesce(i.name, pg_describe_object(o.classid, o.objid, 0))),
                           'definition', '', 'dependsOn', json_build_array())
    FROM others o
   CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) AS i
   WHERE o.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_statistic_ext'::regclass,
                           'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_rewrite'::regclass)`

/** Whether `oid` is of an object that `catalog` has of the schema's others. */
function isOther(oid: string, catalog: string): string {
  return `${oid} = ANY (ARRAY(SELECT objid FROM others WHERE classid = '${catalog}'::regclass))`
}

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
  VIEWS,
  FUNCTIONS,
  TRIGGERS,
  POLICIES,
  RULES,
  STATISTICS,
  TYPES,
  OBJECTS,
]
