/**
 * Questions to the catalogs about tables, enums and sequences: one SELECT each, of (kind, parent, position, data).
 *
 * They go by what depends on the schema, then by arrays of oids: the catalogs have no index by schema, and an array
 * keeps the planner on their indexes whatever it thinks of sizes. In a database of thousands of tenants anything else
 * reads all of their columns. Names of the catalogs stand bare: PostgreSQL looks in pg_catalog before the search path.
 */

/** What the schema holds, but for what an extension has brought. */
export const OBJECTS = `
  objects AS MATERIALIZED (
    SELECT d.classid, d.objid
      FROM pg_depend d
     WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = (SELECT oid FROM own) AND d.deptype = 'n'
       AND NOT EXISTS (SELECT FROM pg_depend e
                        WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
  ),
  relations AS MATERIALIZED (
    SELECT c.*
      FROM pg_class c
     WHERE c.oid = ANY (ARRAY(SELECT objid FROM objects WHERE classid = 'pg_class'::regclass))
  ),
  tables AS MATERIALIZED (SELECT * FROM relations WHERE relkind IN ('r', 'p')),
  constraints AS MATERIALIZED (
    SELECT k.*
      FROM pg_constraint k
     WHERE k.conrelid = ANY (ARRAY(SELECT oid FROM tables)) AND k.conislocal AND k.conparentid = 0
  ),
  sequences AS MATERIALIZED (
    SELECT c.oid, c.relname, d.refobjid AS owner, d.refobjsubid AS attnum, d.deptype,
           EXISTS (SELECT FROM pg_depend u
                    WHERE u.refclassid = 'pg_class'::regclass AND u.refobjid = c.oid
                      AND u.classid = 'pg_attrdef'::regclass) AS used,
           concat_ws(' ',
             CASE WHEN s.seqtypid <> 'bigint'::regtype THEN 'AS ' || s.seqtypid::regtype END,
             CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
             CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE -size.max - 1 END
                  THEN 'MINVALUE ' || s.seqmin END,
             CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN size.max ELSE -1 END
                  THEN 'MAXVALUE ' || s.seqmax END,
             CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END
                  THEN 'START WITH ' || s.seqstart END,
             CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
             CASE WHEN s.seqcycle THEN 'CYCLE' END) AS options
      FROM relations c
      JOIN pg_sequence s ON s.seqrelid = c.oid
     CROSS JOIN LATERAL (
       SELECT CASE s.seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
                              ELSE 9223372036854775807 END AS max) AS size
      LEFT JOIN pg_depend d
        ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
       AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
     WHERE c.relkind = 'S'
  ),
  columns AS MATERIALIZED (
    SELECT a.*, t.relname, e.oid AS default_oid, e.adbin,
           -- A default reads no columns: without the table PostgreSQL need not look all of it up.
           pg_get_expr(e.adbin, CASE WHEN a.attgenerated = '' THEN 0 ELSE e.adrelid END) AS expression,
           s.relname AS sequence, s.oid AS sequence_oid, s.options, s.deptype
      -- Named so that the column is found here where pg_attribute has none: before PostgreSQL 14.
      FROM (SELECT ''::"char" AS attcompression) AS missing
     CROSS JOIN LATERAL (
       SELECT attrelid, attname, attnum, atttypid, atttypmod, attcollation, attnotnull, attgenerated, attidentity,
              attstorage, coalesce(attstattarget, -1) AS attstattarget, attoptions, attcompression
         FROM pg_attribute
        WHERE attrelid = ANY (ARRAY(SELECT oid FROM tables)) AND attnum > 0 AND NOT attisdropped) AS a
      JOIN tables t ON t.oid = a.attrelid
      LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
      LEFT JOIN sequences s
        ON s.owner = a.attrelid AND s.attnum = a.attnum
       AND (s.deptype = 'i' OR a.attgenerated = '' AND pg_get_expr(e.adbin, 0) = format('nextval(%L::regclass)', s.oid::regclass))
  )`

const TABLES = `
  SELECT 'table', t.relname, 0,
         json_build_object('name', t.relname, 'comment', d.description)
    FROM tables t
    LEFT JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0`

/**
 * The tree of a default names the functions in it by oid, after words that no constant in it can hold: those are
 * written as numbers. PostgreSQL's own functions leave no trace in pg_depend.
 */
const COLUMNS = `
  SELECT 'column', a.relname, a.attnum,
         json_build_object(
           'name', a.attname,
           'type', format_type(a.atttypid, a.atttypmod),
           'enum', e.typname,
           'isArray', t.typcategory = 'A',
           'collation', CASE WHEN a.attcollation <> t.typcollation THEN (
             SELECT CASE WHEN pg_collation_is_visible(o.oid) THEN '' ELSE quote_ident(n.nspname) || '.' END
                    || quote_ident(o.collname)
               FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace WHERE o.oid = a.attcollation) END,
           'notNull', a.attnotnull,
           'default', CASE WHEN a.attgenerated = '' AND a.sequence IS NULL THEN a.expression END,
           'isVolatile', a.sequence IS NOT NULL OR a.attgenerated = '' AND coalesce(strpos(a.adbin::text, 'funcid '), 0) > 0 AND EXISTS (
             SELECT FROM regexp_matches(a.adbin::text, ':(?:func|opfunc)id (\\d+)', 'g') AS f (match)
               JOIN pg_proc p ON p.oid = f.match[1]::oid WHERE p.provolatile = 'v'),
           'sequence', CASE WHEN a.sequence IS NOT NULL THEN json_build_object(
             'name', a.sequence, 'options', a.options, 'isUsed', true) END,
           'identity', a.attidentity,
           'generated', a.attgenerated,
           'expression', CASE WHEN a.attgenerated <> '' THEN a.expression END,
           'dependsOn', CASE WHEN a.attgenerated <> '' THEN ARRAY(
             SELECT DISTINCT r.attname
               FROM pg_depend d
               JOIN pg_attribute r ON r.attrelid = d.refobjid AND r.attnum = d.refobjsubid
                -- It depends on them itself before PostgreSQL 15, its expression from then on.
              WHERE (d.classid, d.objid, d.objsubid) IN (('pg_class'::regclass, a.attrelid, a.attnum),
                                                         ('pg_attrdef'::regclass, a.default_oid, 0))
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
                AND d.refobjsubid > 0 AND d.refobjsubid <> a.attnum) END,
           'comment', c.description)
    FROM columns a
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type e
      ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END AND e.typtype = 'e'
     AND e.typnamespace = (SELECT oid FROM own)
    LEFT JOIN pg_description c
      ON c.objoid = a.attrelid AND c.classoid = 'pg_class'::regclass AND c.objsubid = a.attnum`

const CONSTRAINTS = `
  SELECT 'constraint', t.relname, 0,
         json_build_object(
           'name', k.conname,
           'kind', k.contype,
           'definition', pg_get_constraintdef(k.oid),
           'columns', CASE WHEN cardinality(k.conkey) = 1 THEN ${nameOf('k.conrelid', 'k.conkey[1]')} ELSE ARRAY(
             SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY AS key (attnum, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum
              ORDER BY key.place) END,
           'dependsOn', CASE
             WHEN k.contype = 'x' THEN ARRAY(
               ${columnsRead('pg_constraint', 'k.oid', 'k.conrelid')}
               UNION ${columnsRead('pg_class', 'k.conindid', 'k.conrelid')})
             -- It reads whole rows.
             WHEN 0 = ANY (k.conkey) THEN ARRAY(SELECT a.attname FROM columns a WHERE a.attrelid = k.conrelid) END,
           'references', CASE WHEN k.contype = 'f' THEN (
             SELECT json_build_object(
                      'schema', CASE WHEN r.relnamespace <> (SELECT oid FROM own) THEN n.nspname END,
                      'table', r.relname,
                      'columns', ARRAY(
                        SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY AS key (attnum, place)
                          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.attnum
                         ORDER BY key.place))
               FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
              WHERE r.oid = k.confrelid) END,
           'isValidated', k.convalidated,
           'comment', c.description)
    FROM constraints k
    JOIN tables t ON t.oid = k.conrelid
    LEFT JOIN pg_description c
      ON c.objoid = k.oid AND c.classoid = 'pg_constraint'::regclass AND c.objsubid = 0
   WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')`

const INDEXES = `
  SELECT 'index', t.relname, 0,
         json_build_object(
           'name', x.relname,
           'isUnique', i.indisunique,
           -- With the flag "pretty" PostgreSQL leaves out the schema. It always says ONLY of a partitioned table.
           'definition', regexp_replace(substr(pg_get_indexdef(x.oid, 0, true), 1 + length(
             'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || quote_ident(x.relname) || ' ')),
             '^ON ONLY ', 'ON '),
           'columns', CASE WHEN i.indnatts = 1 AND i.indkey[0] <> 0 THEN ${nameOf('i.indrelid', 'i.indkey[0]')} ELSE ARRAY(
             SELECT a.attname FROM unnest(i.indkey) WITH ORDINALITY AS key (attnum, place)
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.attnum AND key.attnum <> 0
              ORDER BY key.place) END,
           'dependsOn', CASE
             WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN NULL
             -- It reads whole rows.
             WHEN concat(i.indexprs, i.indpred) LIKE '%:varattno 0 %'
             THEN ARRAY(SELECT a.attname FROM columns a WHERE a.attrelid = i.indrelid)
             ELSE ARRAY(${columnsRead('pg_class', 'i.indexrelid', 'i.indrelid')}) END,
           'isPlain', i.indexprs IS NULL AND i.indpred IS NULL,
           'isValid', i.indisvalid AND i.indisready AND i.indislive,
           'comment', c.description)
    FROM pg_index i
    JOIN tables t ON t.oid = i.indrelid
    JOIN pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_description c ON c.objoid = x.oid AND c.classoid = 'pg_class'::regclass AND c.objsubid = 0
   WHERE i.indrelid = ANY (ARRAY(SELECT oid FROM tables)) AND NOT x.relispartition
     AND i.indexrelid NOT IN (SELECT k.conindid FROM constraints k WHERE k.contype IN ('p', 'u', 'x'))`

/** The one column of most keys: none if it is no column but a row. */
function nameOf(table: string, attnum: string): string {
  return `ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = ${table} AND attnum = ${attnum} AND attnum > 0)`
}

/** Columns of a table that one of its indexes or constraints reads, in its expressions and its condition too. */
function columnsRead(catalog: string, oid: string, table: string): string {
  return `
    SELECT DISTINCT a.attname
      FROM pg_depend d
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid}
       AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ${table} AND d.refobjsubid > 0`
}

const ENUMS = `
  SELECT 'enum', '', 0,
         json_build_object(
           'name', t.typname,
           'labels', ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder),
           'comment', c.description)
    FROM pg_type t
    LEFT JOIN pg_description c ON c.objoid = t.oid AND c.classoid = 'pg_type'::regclass AND c.objsubid = 0
   WHERE t.oid = ANY (ARRAY(SELECT objid FROM objects WHERE classid = 'pg_type'::regclass)) AND t.typtype = 'e'`

/**
 * Whether a sequence `s` is that of no serial or identity column. By a list and not by a join, for which the planner
 * would go through all columns for each: it takes them for one row.
 */
export const IS_FREE = 's.oid NOT IN (SELECT sequence_oid FROM columns WHERE sequence_oid IS NOT NULL)'

const SEQUENCES = `
  SELECT 'sequence', '', 0, json_build_object('name', s.relname, 'options', s.options, 'isUsed', s.used)
    FROM sequences s
   WHERE ${IS_FREE}`

export const TABLE_QUESTIONS: readonly string[] = [TABLES, COLUMNS, CONSTRAINTS, INDEXES, ENUMS, SEQUENCES]
