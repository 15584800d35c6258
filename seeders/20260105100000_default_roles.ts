/**
 * What a new tenant begins with: an admin who may do everything and a member who may look. A seeder is a
 * migration of data: it runs once in each tenant, which its table `SequelizeData` remembers.
 */
import type { Migration } from 'umzug-tenants'

export const up: Migration = async ({ context }) => {
  await context.sql(`
    INSERT INTO permissions (name, title) VALUES
      ('users.read',  'See the users'),
      ('users.write', 'Add and change users'),
      ('roles.read',  'See roles and permissions'),
      ('roles.write', 'Add and change roles and permissions');

    INSERT INTO roles (role_name, role_description) VALUES
      ('admin',  'May do everything'),
      ('member', 'May look at everything');

    INSERT INTO roles_permissions_link (role_id, permission_id)
    SELECT roles.id, permissions.id FROM roles CROSS JOIN permissions
     WHERE role_name = 'admin' OR (role_name = 'member' AND name LIKE '%.read');
  `)
}

/** Takes away what it gave, and fails if a user still has one of the roles. */
export const down: Migration = async ({ context }) => {
  await context.sql(`
    DELETE FROM roles_permissions_link
     WHERE role_id IN (SELECT id FROM roles WHERE role_name IN ('admin', 'member'));
    DELETE FROM roles WHERE role_name IN ('admin', 'member');
    DELETE FROM permissions WHERE name IN ('users.read', 'users.write', 'roles.read', 'roles.write');
  `)
}
