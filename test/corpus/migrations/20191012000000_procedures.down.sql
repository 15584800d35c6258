DROP FUNCTION pairs_of();
DROP FUNCTION users_of(uuid, enum_users_role[]);
DROP PROCEDURE close_invoices(integer);
