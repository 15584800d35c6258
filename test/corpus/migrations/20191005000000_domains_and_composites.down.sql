DROP TABLE crossings;
DROP DOMAIN light;
DROP TYPE traffic_light, money_amount;
DROP DOMAIN positive;
