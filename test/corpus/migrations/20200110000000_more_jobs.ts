import { DataTypes, type QueryInterface } from 'sequelize'
import type { MigrationFn } from 'umzug'

type Migration = MigrationFn<QueryInterface>

export const up: Migration = async ({ context: queryInterface }) => {
  await queryInterface.sequelize.transaction(async (transaction) => {
    await queryInterface.addColumn(
      'jobs',
      'attempts',
      { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      { transaction },
    )
    await queryInterface.addColumn(
      'jobs',
      'previous',
      { type: DataTypes.INTEGER, references: { model: 'jobs', key: 'id' }, onDelete: 'SET NULL' },
      { transaction },
    )
    await queryInterface.addIndex('jobs', ['queue', 'attempts'], { where: { attempts: 0 }, transaction })
  })
}

export const down: Migration = async ({ context: queryInterface }) => {
  await queryInterface.removeColumn('jobs', 'previous')
  await queryInterface.removeColumn('jobs', 'attempts')
}
