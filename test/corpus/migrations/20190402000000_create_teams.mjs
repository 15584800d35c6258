import { DataTypes, literal } from 'sequelize'

export async function up({ context: queryInterface }) {
  await queryInterface.createTable('teams', {
    id: { type: DataTypes.UUID, primaryKey: true, defaultValue: literal('gen_random_uuid()') },
    name: { type: DataTypes.TEXT, allowNull: false },
    settings: { type: DataTypes.JSONB, allowNull: false, defaultValue: {} },
    tags: { type: DataTypes.ARRAY(DataTypes.STRING), allowNull: false, defaultValue: [] },
  })
}

export async function down({ context: queryInterface }) {
  await queryInterface.dropTable('teams')
}
