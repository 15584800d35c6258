ALTER TABLE products ADD COLUMN document tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(text, ''))) STORED;
CREATE INDEX products_document ON products USING gin (document) WITH (fastupdate = off);
CREATE INDEX products_covering ON products (code) INCLUDE (price, weight) WHERE code IS NOT NULL;
CREATE INDEX ON products ((price * 2), lower(text) varchar_pattern_ops NULLS FIRST);
