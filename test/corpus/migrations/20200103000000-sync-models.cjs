'use strict'

const define = (sequelize, { DataTypes }) => {
  const Post = sequelize.define(
    'Post',
    {
      title: { type: DataTypes.STRING, allowNull: false, comment: 'on the page' },
      status: { type: DataTypes.ENUM('draft', 'published'), defaultValue: 'draft' },
      kinds: DataTypes.ARRAY(DataTypes.ENUM('news', 'essay')),
      slug: { type: DataTypes.STRING, unique: true },
      area: { type: DataTypes.STRING, unique: 'area_nr' },
      nr: { type: DataTypes.INTEGER, unique: 'area_nr' },
    },
    {
      tableName: 'Posts',
      underscored: true,
      paranoid: true,
      indexes: [
        { fields: ['title'] },
        {
          unique: true,
          fields: ['status', 'title'],
          name: 'posts_status_title',
          where: { status: 'published' },
        },
        { fields: ['kinds'], using: 'gin' },
      ],
      comment: 'what is read',
    },
  )
  const Tag = sequelize.define(
    'Tag',
    { name: { type: DataTypes.STRING, primaryKey: true } },
    { timestamps: false },
  )
  Post.belongsToMany(Tag, { through: 'PostTags', onDelete: 'CASCADE' })
  Tag.belongsToMany(Post, { through: 'PostTags' })
  const Comment = sequelize.define(
    'Comment',
    { body: DataTypes.TEXT },
    { timestamps: false, indexes: [{ fields: ['PostId'] }] },
  )
  Post.hasMany(Comment, { onDelete: 'cascade', hooks: true })
  Comment.belongsTo(Post)
  return { Post, Tag, Comment }
}

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { Post, Tag, Comment } = define(queryInterface.sequelize, Sequelize)
    for (const model of [Post, Tag, Comment, queryInterface.sequelize.models.PostTags]) await model.sync()
    const post = await Post.create({ title: 'One', kinds: ['news', 'essay'], slug: 'one' })
    await post.addTag(await Tag.create({ name: 'first' }))
    await post.createComment({ body: 'yes' })
    const [{ kinds }] = await queryInterface.sequelize.query('SELECT kinds FROM "Posts"', { type: 'SELECT' })
    if (!Array.isArray(kinds)) throw new Error('an array of an ENUM is an array')
  },

  async down(queryInterface) {
    const { sequelize } = queryInterface
    for (const table of ['Comments', 'PostTags', 'Tags', 'Posts']) await queryInterface.dropTable(table)
    for (const { enum_name: name } of await queryInterface.pgListEnums('Posts'))
      if (name.startsWith('enum_Posts')) await queryInterface.dropEnum(name)
    sequelize.modelManager.models = []
  },
}
