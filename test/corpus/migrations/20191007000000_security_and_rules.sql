ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoices_of_all ON invoices FOR SELECT TO public USING (total >= 0);
CREATE RULE keep_paid AS ON DELETE TO invoices WHERE OLD.state = 'paid' DO INSTEAD NOTHING;
CREATE STATISTICS invoices_stats (ndistinct, dependencies) ON state, total FROM invoices;
ALTER TABLE invoices ALTER COLUMN note SET STORAGE EXTERNAL, ALTER COLUMN total SET STATISTICS 500;
CREATE UNLOGGED TABLE cache (key text COLLATE "C" PRIMARY KEY, value text) WITH (fillfactor = 70, autovacuum_enabled = false);
ALTER TABLE ONLY orders CLUSTER ON orders_pkey;
