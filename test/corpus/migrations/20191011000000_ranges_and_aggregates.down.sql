DROP TABLE readings;
DROP COLLATION german;
DROP AGGREGATE product_of (float8);
DROP TYPE float_span;
