'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('categories', {
      id: { type: Sequelize.BIGINT, primaryKey: true, autoIncrement: true },
      slug: { type: Sequelize.STRING, unique: 'slug_of_categories' },
      parent_id: {
        type: Sequelize.BIGINT,
        references: { model: 'categories', key: 'id' },
        onDelete: 'CASCADE',
        onUpdate: 'NO ACTION',
      },
    })
  },

  async down(queryInterface) {
    await queryInterface.dropTable('categories', { cascade: true })
  },
}
