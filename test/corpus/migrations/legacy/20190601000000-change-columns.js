'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface
      .changeColumn('users', 'name', {
        type: Sequelize.STRING(200),
        allowNull: false,
        defaultValue: 'nobody',
        comment: 'shown in lists',
      })
      .catch(async () => {
        throw new Error('a null name cannot become NOT NULL before it is filled')
      })
      .catch(() => undefined)
    await queryInterface.bulkUpdate('users', { name: 'nobody' }, { name: null })
    await queryInterface.changeColumn('users', 'name', {
      type: Sequelize.STRING(200),
      allowNull: false,
      defaultValue: 'nobody',
      comment: 'shown in lists',
    })
    await queryInterface.changeColumn('products', 'small', {
      type: Sequelize.INTEGER,
      allowNull: true,
      defaultValue: 14,
    })
    await queryInterface.changeColumn('products', 'weight', { type: Sequelize.DECIMAL(6, 3) })
    await queryInterface.changeColumn('products', 'part', { type: Sequelize.FLOAT, unique: true })
    await queryInterface.changeColumn('categories', 'parent_id', {
      type: Sequelize.BIGINT,
      references: { model: 'categories', key: 'id' },
      onDelete: 'SET NULL',
    })
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.removeConstraint('categories', 'categories_parent_id_fkey1')
    await queryInterface.removeConstraint('products', 'products_part_key')
    await queryInterface.changeColumn('products', 'weight', { type: Sequelize.REAL })
    await queryInterface.changeColumn('products', 'small', { type: Sequelize.SMALLINT, defaultValue: 7 })
    await queryInterface.changeColumn('users', 'name', {
      type: Sequelize.STRING(120),
      allowNull: true,
      comment: "a person's name",
    })
  },
}
