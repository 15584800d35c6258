DROP INDEX products_covering, products_expr_lower_idx;
ALTER TABLE products DROP COLUMN document;
