CREATE SEQUENCE order_numbers AS integer START 1000 INCREMENT 5 MINVALUE 10 MAXVALUE 99999 CACHE 3 CYCLE;
CREATE TABLE orders (id integer PRIMARY KEY DEFAULT nextval('order_numbers'), placed date, state text);
ALTER SEQUENCE order_numbers OWNED BY orders.id;
INSERT INTO orders (placed) VALUES ('2019-10-04'), ('2019-10-05');
CREATE SEQUENCE loose_numbers;
SELECT setval('loose_numbers', 42, false);
