// Umzug's form, with the query interface as the context, as most projects have it.
import { DataTypes, QueryTypes } from 'sequelize'

export const up = async ({ context, name }) => {
  await context.createTable('jobs', {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    queue: { type: DataTypes.ENUM(['mail', 'sms']), allowNull: false, defaultValue: 'mail' },
    made_by: DataTypes.STRING,
  })
  await context.sequelize.query('INSERT INTO jobs (made_by) VALUES (:name)', {
    replacements: { name },
    type: QueryTypes.INSERT,
  })
  await context.sequelize.query('SELECT setval(pg_get_serial_sequence(:table, :column), 500)', {
    replacements: { table: 'jobs', column: 'id' },
  })
}

export const down = async ({ context }) => {
  await context.dropTable('jobs')
  await context.sequelize.query('DROP TYPE "enum_jobs_queue"')
}
