CREATE PROCEDURE close_invoices(INOUT closed integer DEFAULT 0) LANGUAGE plpgsql SECURITY DEFINER SET work_mem = '8MB' AS $$
  BEGIN UPDATE invoices SET state = 'paid' WHERE total > 100; GET DIAGNOSTICS closed = ROW_COUNT; END $$;
CREATE FUNCTION users_of(team uuid, VARIADIC roles enum_users_role[] DEFAULT '{}') RETURNS SETOF users
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 AS 'SELECT * FROM users WHERE team_id = team AND (roles = ''{}'' OR role = ANY (roles))';
CREATE FUNCTION pairs_of(OUT a integer, OUT b text) RETURNS SETOF record LANGUAGE sql BEGIN ATOMIC SELECT id, email FROM users; END;
