CREATE TYPE float_span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE AGGREGATE product_of (float8) (sfunc = float8mul, stype = float8, initcond = '1');
CREATE COLLATION german FROM "C";
CREATE TABLE readings (span float_span, names text COLLATE german, spans float_span_multirange DEFAULT '{}');
