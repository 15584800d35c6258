'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.dropAllTables({ skip: ['SequelizeMeta'] })
    await queryInterface.dropAllEnums()
  },

  async down() {},
}
