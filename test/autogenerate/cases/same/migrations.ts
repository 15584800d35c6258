/** What migrations make that somebody wrote, and models of the same. */
import { DataTypes, Sequelize } from 'sequelize'

import { items, migrated, type Cases } from '../../support/case.ts'

const { INTEGER, STRING, TEXT, DATE, ENUM, ARRAY, UUID, JSONB } = DataTypes

const id = { type: INTEGER, primaryKey: true, autoIncrement: true }
const times = { createdAt: { type: DATE, allowNull: false }, updatedAt: { type: DATE, allowNull: false } }

export const migrations: Cases = [
  migrated(
    'a table as the guide of Sequelize writes it',
    async (queryInterface) => {
      await queryInterface.createTable('Users', {
        id: { allowNull: false, autoIncrement: true, primaryKey: true, type: INTEGER },
        firstName: { type: STRING },
        ...times,
      })
    },
    (sequelize) => void sequelize.define('User', { firstName: STRING }),
  ),
  migrated(
    'columns that came one by one',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id })
      await queryInterface.addColumn('items', 'b', { type: TEXT, allowNull: false, defaultValue: 'x' })
      await queryInterface.addColumn('items', 'a', ENUM('x', 'y'))
    },
    items({ a: ENUM('x', 'y'), b: { type: TEXT, allowNull: false, defaultValue: 'x' } }),
  ),
  migrated(
    'a column that changeColumn has changed',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id, a: { type: STRING(20), defaultValue: 'x' } })
      await queryInterface.changeColumn('items', 'a', { type: TEXT, allowNull: false, defaultValue: 'x' })
    },
    items({ a: { type: TEXT, allowNull: false, defaultValue: 'x' } }),
  ),
  migrated(
    'columns that were renamed and removed',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id, old: STRING, gone: STRING })
      await queryInterface.renameColumn('items', 'old', 'a')
      await queryInterface.removeColumn('items', 'gone')
    },
    items({ a: STRING }),
  ),
  migrated(
    'indexes that addIndex has made',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id, a: STRING, b: JSONB })
      await queryInterface.addIndex('items', ['a', 'id'])
      await queryInterface.addIndex('items', ['a'], { unique: true, where: { a: 'x' }, name: 'one_x' })
      await queryInterface.addIndex('items', { fields: ['b'], using: 'gin', name: 'in_b' })
    },
    items(
      { a: STRING, b: JSONB },
      {
        indexes: [
          { fields: ['a', 'id'] },
          { fields: ['a'], unique: true, where: { a: 'x' }, name: 'one_x' },
          { fields: ['b'], using: 'gin', name: 'in_b' },
        ],
      },
    ),
  ),
  migrated(
    'a foreign key in createTable',
    async (queryInterface) => {
      await queryInterface.createTable('users', { id, ...times })
      const references = { model: 'users', key: 'id' }
      const userId = { type: INTEGER, references, onDelete: 'SET NULL', onUpdate: 'CASCADE' }
      await queryInterface.createTable('posts', { id, ...times, userId })
    },
    (sequelize) => {
      const User = sequelize.define('user', {})
      sequelize.define('post', {}).belongsTo(User)
    },
  ),
  migrated(
    'a foreign key that addConstraint has made, by its usual name',
    async (queryInterface) => {
      await queryInterface.createTable('users', { id, ...times })
      await queryInterface.createTable('posts', { id, ...times, userId: { type: INTEGER, allowNull: false } })
      await queryInterface.addConstraint('posts', {
        type: 'foreign key',
        name: 'posts_userId_fkey',
        fields: ['userId'],
        references: { table: 'users', field: 'id' },
        onDelete: 'NO ACTION',
        onUpdate: 'CASCADE',
      })
    },
    (sequelize) => {
      const User = sequelize.define('user', {})
      sequelize.define('post', {}).belongsTo(User, { foreignKey: { allowNull: false } })
    },
  ),
  migrated(
    'a unique constraint that addConstraint has made, by its usual name',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id, a: STRING, b: INTEGER })
      await queryInterface.addConstraint('items', {
        type: 'unique',
        fields: ['a', 'b'],
        name: 'items_a_b_key',
      })
    },
    items({ a: { type: STRING, unique: 'both' }, b: { type: INTEGER, unique: 'both' } }),
  ),
  migrated(
    'a join table',
    async (queryInterface) => {
      await queryInterface.createTable('lefts', { id, ...times })
      await queryInterface.createTable('rights', { id, ...times })
      const end = (model: string) => ({
        type: INTEGER,
        primaryKey: true,
        references: { model, key: 'id' },
        onDelete: 'CASCADE',
        onUpdate: 'CASCADE',
      })
      await queryInterface.createTable('both', { ...times, leftId: end('lefts'), rightId: end('rights') })
    },
    (sequelize) => {
      const Left = sequelize.define('left', {})
      const Right = sequelize.define('right', {})
      Left.belongsToMany(Right, { through: 'both' })
      Right.belongsToMany(Left, { through: 'both' })
    },
  ),
  migrated(
    'defaults in words of the database',
    async (queryInterface) => {
      await queryInterface.createTable('items', {
        id,
        a: { type: DATE, defaultValue: Sequelize.literal('CURRENT_TIMESTAMP') },
        b: { type: UUID, defaultValue: Sequelize.fn('gen_random_uuid') },
        c: { type: ARRAY(TEXT), defaultValue: Sequelize.literal("'{}'") },
        d: { type: JSONB, defaultValue: Sequelize.literal("'{}'::jsonb") },
      })
    },
    items({
      a: { type: DATE, defaultValue: Sequelize.fn('NOW') },
      b: { type: UUID, defaultValue: Sequelize.literal('gen_random_uuid()') },
      c: { type: ARRAY(TEXT), defaultValue: [] },
      d: { type: JSONB, defaultValue: {} },
    }),
  ),
  migrated(
    'comments in createTable and a query of their own',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id, a: { type: TEXT, comment: "it's a" } })
      await queryInterface.sequelize.query(`COMMENT ON TABLE items IS 'all'`)
    },
    items({ a: { type: TEXT, comment: "it's a" } }, { comment: 'all' }),
  ),
  migrated(
    'an ENUM that a query has widened',
    async (queryInterface) => {
      await queryInterface.createTable('items', { id, a: ENUM('x') })
      await queryInterface.sequelize.query(`ALTER TYPE enum_items_a ADD VALUE 'y'`)
    },
    items({ a: ENUM('x', 'y') }),
  ),
]
