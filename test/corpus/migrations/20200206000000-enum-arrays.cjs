'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('articles', {
      id: { type: Sequelize.INTEGER, primaryKey: true },
      flags: {
        type: Sequelize.ARRAY(Sequelize.ENUM('hot', 'old')),
        allowNull: false,
        defaultValue: Sequelize.literal(`'{hot}'`),
      },
    })
    await queryInterface.bulkInsert('articles', [
      { id: 1, flags: '{hot}' },
      { id: 2, flags: Sequelize.literal(`'{old,hot}'::"enum_articles_flags"[]`) },
    ])
    const rows = await queryInterface.sequelize.query('SELECT * FROM articles ORDER BY id', {
      type: Sequelize.QueryTypes.SELECT,
    })
    for (const { id, flags } of rows) {
      if (!Array.isArray(flags)) throw new Error(`flags: ${flags}`)
      await queryInterface.sequelize.query(
        'UPDATE articles SET flags = ARRAY[:flags]::enum_articles_flags[] WHERE id = :id',
        { replacements: { id, flags: flags.toReversed() } },
      )
    }
  },

  async down(queryInterface) {
    await queryInterface.dropTable('articles')
    await queryInterface.dropEnum('enum_articles_flags')
  },
}
