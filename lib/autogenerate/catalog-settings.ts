/** Questions to the catalogs about what models cannot say of a table: storage, row security, statistics. */
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

export const SETTING_QUESTIONS: readonly string[] = [
  SETTINGS,
  COLUMN_SETTINGS,
  INDEX_SETTINGS,
  OTHER_SETTINGS,
]
