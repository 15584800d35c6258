CREATE TABLE user_archive (LIKE users INCLUDING ALL);
INSERT INTO user_archive (id, email) SELECT id, email FROM users WHERE email LIKE 'b%';
CREATE TABLE emails AS SELECT email, role FROM users ORDER BY email;
WITH moved AS (DELETE FROM emails WHERE role = 'guest' RETURNING email) SELECT count(*) FROM moved;
DO $$ BEGIN IF EXISTS (SELECT FROM emails) THEN ALTER TABLE emails ADD PRIMARY KEY (email); END IF; END $$;
