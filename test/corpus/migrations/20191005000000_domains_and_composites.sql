CREATE DOMAIN positive AS integer DEFAULT 1 NOT NULL CONSTRAINT positive_ck CHECK (VALUE > 0);
CREATE TYPE money_amount AS (amount numeric(12, 2), currency char(3));
CREATE TYPE traffic_light AS ENUM ('red', 'amber', 'green');
COMMENT ON TYPE traffic_light IS 'of a crossing';
CREATE DOMAIN light AS traffic_light CHECK (VALUE <> 'amber');
CREATE TABLE crossings (id positive PRIMARY KEY, light light, lights traffic_light[], toll money_amount);
INSERT INTO crossings VALUES (1, 'red', '{red,amber}', (12.5, 'EUR'));
