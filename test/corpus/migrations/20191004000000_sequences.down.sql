DROP TABLE orders;
DROP SEQUENCE loose_numbers;
