'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('users', 'mood', {
      type: Sequelize.ENUM('good', 'bad'),
      defaultValue: 'good',
    })
    await queryInterface.addColumn('users', 'moods', { type: Sequelize.ARRAY(Sequelize.ENUM('good', 'bad')) })
    await queryInterface.removeColumn('users', 'mood')
    await queryInterface.sequelize.query('DROP TYPE "enum_users_mood"')
    await queryInterface.removeColumn('products', 'negative')
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.addColumn('products', 'negative', { type: Sequelize.INTEGER, defaultValue: -1 })
    await queryInterface.removeColumn('users', 'moods')
    await queryInterface.dropEnum('enum_users_moods')
  },
}
