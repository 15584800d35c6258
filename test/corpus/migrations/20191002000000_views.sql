CREATE VIEW active_users AS
  SELECT u.id, u.email, t.name AS team FROM users u LEFT JOIN teams t ON t.id = u.team_id WHERE u.is_active;
COMMENT ON VIEW active_users IS 'people; and their team';
CREATE MATERIALIZED VIEW totals AS SELECT state, sum(total) AS total FROM invoices GROUP BY state;
CREATE UNIQUE INDEX totals_state ON totals (state);
CREATE OR REPLACE VIEW paid AS SELECT *, add_tax(total, 0.2) AS gross FROM invoices WHERE state = 'paid'::enum_invoices_state
  WITH CHECK OPTION;
