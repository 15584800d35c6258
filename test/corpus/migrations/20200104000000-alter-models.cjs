'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { DataTypes } = Sequelize
    const Post = queryInterface.sequelize.define(
      'Post',
      {
        title: { type: DataTypes.STRING(500), allowNull: false, comment: 'on the page' },
        subtitle: DataTypes.TEXT,
        status: {
          type: DataTypes.ENUM('idea', 'draft', 'review', 'published', 'withdrawn'),
          defaultValue: 'idea',
        },
        kinds: DataTypes.ARRAY(DataTypes.ENUM('news', 'essay', 'letter')),
        slug: { type: DataTypes.STRING, unique: true },
        parent: { type: DataTypes.INTEGER, references: { model: 'Posts', key: 'id' } },
      },
      {
        tableName: 'Posts',
        underscored: true,
        paranoid: true,
        indexes: [{ fields: ['title'] }, { fields: ['subtitle'] }],
      },
    )
    await Post.sync({ alter: { drop: false } })
    const rows = await Post.findAll({ paranoid: false, attributes: ['title', 'kinds'] })
    if (rows.length !== 1 || rows[0].kinds.join() !== 'news,essay') throw new Error(JSON.stringify(rows))
  },

  async down(queryInterface) {
    await queryInterface.removeIndex('Posts', ['subtitle'])
    await queryInterface.removeColumn('Posts', 'subtitle')
    await queryInterface.removeColumn('Posts', 'parent')
  },
}
