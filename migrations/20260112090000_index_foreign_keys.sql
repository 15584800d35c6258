-- PostgreSQL indexes what a foreign key refers to, and not the column that refers.
CREATE INDEX users_user_role_id ON users (user_role_id);
CREATE INDEX roles_permissions_link_permission_id ON roles_permissions_link (permission_id);
