-- what a trigger writes; dollar quotes, semicolons and "quotes" in its body
CREATE TABLE history (
  id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10) PRIMARY KEY,
  "table" name NOT NULL,
  was jsonb,
  is_now jsonb CHECK (is_now IS DISTINCT FROM was),
  size integer GENERATED ALWAYS AS (length(is_now::text)) STORED
);
CREATE FUNCTION write_history() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO history ("table", was, is_now) VALUES (TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW));
  RETURN NULL; -- ignored; "after"
END;
$body$;
CREATE TRIGGER teams_history AFTER UPDATE OF name, settings ON teams
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION write_history();
UPDATE teams SET name = name || '; Ltd';
