/** Types in other words of SQL than Sequelize's. */
import { DataTypes } from 'sequelize'

import { equal, equalColumn, items, itemsWith, type Cases } from '../../support/case.ts'

const { INTEGER, BIGINT, SMALLINT, STRING, TEXT, DECIMAL, DATE, BOOLEAN, ARRAY, CHAR, RANGE, ENUM } =
  DataTypes

export const types: Cases = [
  equalColumn('int4', 'a int4', INTEGER),
  equalColumn('int8', 'a int8', BIGINT),
  equalColumn('int2', 'a int2', SMALLINT),
  equalColumn('bool', 'a bool', BOOLEAN),
  equalColumn('float8', 'a float8', DataTypes.DOUBLE),
  equalColumn('a float is as precise as a double', 'a double precision', DataTypes.FLOAT),
  equalColumn('float4', 'a float4', DataTypes.REAL),
  equalColumn('varchar and character varying', 'a character varying(255)', STRING),
  equalColumn('bpchar(4)', 'a bpchar(4)', CHAR(4)),
  equalColumn('a number without precision', 'a numeric', DECIMAL),
  equalColumn('dec, a scale of none', 'a dec(5)', DECIMAL(5, 0)),
  equalColumn('a precision without a scale', 'a numeric(5, 0)', DECIMAL(5)),
  equalColumn('timestamptz', 'a timestamptz', DATE),
  equalColumn('a time says that it has no zone', 'a time without time zone', DataTypes.TIME),
  equalColumn('a timestamp says that it has no zone', 'a timestamp without time zone', 'TIMESTAMP'),
  equalColumn('int[] and integer array', 'a integer ARRAY', ARRAY(INTEGER)),
  equalColumn('the length of an array is not kept', 'a int[3]', ARRAY(INTEGER)),
  equalColumn('the dimensions of an array are not kept', 'a text[]', ARRAY(ARRAY(TEXT))),
  equalColumn('elements with a precision', 'a numeric(5,2)[]', ARRAY(DECIMAL(5, 2))),
  equalColumn('ranges', 'a tstzrange', RANGE(DATE)),
  equalColumn('bytea', 'a bytea', DataTypes.BLOB('long')),
  equalColumn('a collation that is the default one', 'a text COLLATE "default"', TEXT),
  equalColumn('a type in words of its own schema', 'a pg_catalog.text', TEXT),
  equalColumn('a type with case and spaces', 'a CHARACTER   VARYING ( 10 )', STRING(10)),
  equalColumn('an interval', 'a interval', 'INTERVAL'),
  equal(
    'an ENUM made by hand',
    `CREATE TYPE enum_items_a AS ENUM ('x', 'it''s'); ${itemsWith('a enum_items_a')}`,
    items({ a: ENUM('x', "it's") }),
  ),
  equal(
    'an ENUM whose values came one by one',
    `CREATE TYPE enum_items_a AS ENUM ('b'); ALTER TYPE enum_items_a ADD VALUE 'd';
     ALTER TYPE enum_items_a ADD VALUE 'a' BEFORE 'b'; ALTER TYPE enum_items_a ADD VALUE 'c' AFTER 'b';
     ${itemsWith('a enum_items_a')}`,
    items({ a: ENUM('a', 'b', 'c', 'd') }),
  ),
  equal(
    'an array of an ENUM made by hand',
    `CREATE TYPE enum_items_a AS ENUM ('x', 'y'); ${itemsWith('a enum_items_a ARRAY')}`,
    items({ a: ARRAY(ENUM('x', 'y')) }),
  ),
  equal(
    'an ENUM that was renamed with its column',
    `CREATE TYPE enum_items_b AS ENUM ('x'); ${itemsWith('b enum_items_b')}
     ALTER TABLE items RENAME b TO a; ALTER TYPE enum_items_b RENAME TO enum_items_a`,
    items({ a: ENUM('x') }),
  ),
  equal(
    'an ENUM value that was renamed',
    `CREATE TYPE enum_items_a AS ENUM ('old', 'y'); ${itemsWith('a enum_items_a')}
     ALTER TYPE enum_items_a RENAME VALUE 'old' TO 'x'`,
    items({ a: ENUM('x', 'y') }),
  ),
  equal(
    'an ENUM of a table whose name has capitals',
    `CREATE TYPE "enum_MyItems_firstState" AS ENUM ('x');
     CREATE TABLE "MyItems" (id serial PRIMARY KEY, "firstState" "enum_MyItems_firstState")`,
    (sequelize) => {
      const options = { tableName: 'MyItems', timestamps: false }
      sequelize.define('Item', { firstState: ENUM('x') }, options)
    },
  ),
  equal(
    'an ENUM whose name was cut at 63 bytes',
    `CREATE TYPE enum_items_${'é'.repeat(40)} AS ENUM ('x'); ${itemsWith(`${'é'.repeat(40)} enum_items_${'é'.repeat(40)}`)}`,
    items({ ['é'.repeat(40)]: ENUM('x') }),
  ),
  equal(
    'a domain of the schema',
    `CREATE DOMAIN positive AS integer CHECK (VALUE > 0); ${itemsWith('a positive')}`,
    items({ a: 'positive' }),
  ),
  equalColumn('a type of an extension', 'a extensions.citext', DataTypes.CITEXT),
  equalColumn('an array of a type of an extension', 'a extensions.citext[]', ARRAY(DataTypes.CITEXT)),
]
