/** The ledger as it was created before contents were hashed. */
export const EARLIER_LEDGER = `
  CREATE SCHEMA umzug_tenants;
  CREATE TABLE umzug_tenants.tenant (
    id text PRIMARY KEY, schema text NOT NULL UNIQUE, host text UNIQUE,
    state text NOT NULL DEFAULT 'created' CHECK (state IN ('created', 'migrated', 'failed')),
    head text, fingerprint text, error jsonb,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
  CREATE UNIQUE INDEX tenant_id_caseless ON umzug_tenants.tenant (lower(id));
  CREATE UNIQUE INDEX tenant_schema_caseless ON umzug_tenants.tenant (lower(schema));
  CREATE TABLE umzug_tenants.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text NOT NULL, schema text NOT NULL,
    migration text NOT NULL, direction text NOT NULL CHECK (direction IN ('up', 'down')),
    duration_ms integer NOT NULL, finished_at timestamptz NOT NULL DEFAULT now());
  CREATE INDEX run_schema ON umzug_tenants.run (schema, id);`
