'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const before = await queryInterface.showAllSchemas()
    if (before.some((schema) => /tenant|scratch/.test(schema))) throw new Error(`schemas: ${before.join()}`)
    await queryInterface.createSchema('scratch_of_corpus')
    await queryInterface.createTable(
      { tableName: 'users', schema: 'scratch_of_corpus' },
      { id: { type: Sequelize.INTEGER, primaryKey: true }, kind: Sequelize.ENUM('z') },
    )
    await queryInterface.addColumn(
      { tableName: 'users', schema: 'scratch_of_corpus' },
      'extra',
      Sequelize.TEXT,
    )
    await queryInterface.addIndex({ tableName: 'users', schema: 'scratch_of_corpus' }, ['extra'])
    if (
      Object.keys(
        await queryInterface.describeTable({ tableName: 'users', schema: 'scratch_of_corpus' }),
      ).join() !== 'id,kind,extra'
    )
      throw new Error('scratch')
    if (!(await queryInterface.showAllSchemas()).includes('scratch_of_corpus'))
      throw new Error('it was created')
    await queryInterface.dropTable({ tableName: 'users', schema: 'scratch_of_corpus' })
    await queryInterface.dropSchema('scratch_of_corpus')
  },

  async down() {},
}
