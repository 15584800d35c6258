'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('identities', {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true },
      big: { type: Sequelize.BIGINT, autoIncrement: true },
      little: { type: Sequelize.SMALLINT, autoIncrement: true, unique: true },
      twice: 'integer GENERATED ALWAYS AS (little * 2) STORED',
      raw: 'text DEFAULT \'x\'::text COLLATE "C"',
    })
    await queryInterface.bulkInsert('identities', [{ raw: 'a' }, { raw: 'b' }])
  },

  async down(queryInterface) {
    await queryInterface.dropTable('identities')
  },
}
