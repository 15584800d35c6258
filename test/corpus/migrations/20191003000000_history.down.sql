DROP TRIGGER teams_history ON teams;
DROP FUNCTION write_history();
DROP TABLE history;
UPDATE teams SET name = replace(name, '; Ltd', '');
