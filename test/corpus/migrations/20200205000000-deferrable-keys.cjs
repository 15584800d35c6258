'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { Deferrable } = Sequelize
    await queryInterface.createTable('links', {
      a: {
        type: Sequelize.INTEGER,
        references: { model: 'users', key: 'id', deferrable: Deferrable.INITIALLY_DEFERRED },
        onDelete: 'CASCADE',
      },
      b: {
        type: Sequelize.INTEGER,
        references: { model: 'users', key: 'id', deferrable: Deferrable.INITIALLY_IMMEDIATE },
      },
      c: { type: Sequelize.INTEGER, references: { model: 'users', key: 'id', deferrable: Deferrable.NOT } },
    })
    const keys = await queryInterface.getForeignKeyReferencesForTable('links')
    if (keys.map(({ deferrable }) => deferrable.name ?? deferrable.key ?? typeof deferrable).length !== 3)
      throw new Error('keys')
  },

  async down(queryInterface) {
    await queryInterface.dropTable('links')
  },
}
