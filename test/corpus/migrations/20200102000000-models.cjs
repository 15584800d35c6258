'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { DataTypes } = Sequelize
    const { sequelize } = queryInterface
    const Country = sequelize.define(
      'Country',
      {
        code: { type: DataTypes.CHAR(2), primaryKey: true },
        name: DataTypes.STRING,
        visits: { type: DataTypes.INTEGER, defaultValue: 0 },
        size: DataTypes.ENUM('small', 'large'),
      },
      { tableName: 'countries', timestamps: false },
    )
    await Country.sync()
    await Country.bulkCreate([
      { code: 'at', name: 'Austria', size: 'small' },
      { code: 'br', name: 'Brazil', size: 'large' },
    ])
    await Country.upsert({ code: 'at', name: 'Österreich' })
    await Country.upsert({ code: 'ch', name: 'Schweiz' })
    const [found, isNew] = await Country.findOrCreate({
      where: { code: 'de' },
      defaults: { name: 'Germany' },
    })
    if (!isNew || found.name !== 'Germany') throw new Error('findOrCreate')
    await Country.increment('visits', { by: 3, where: { code: 'br' } })
    await Country.update({ name: 'Deutschland' }, { where: { code: 'de' } })
    const austria = await Country.findByPk('at')
    await austria.update({ visits: austria.visits + 1 })
    await Country.destroy({ where: { code: 'ch' } })
    if ((await Country.count()) !== 3) throw new Error('count')
    await queryInterface.upsert(
      'countries',
      { code: 'ch', name: 'Switzerland' },
      { name: 'Switzerland' },
      { code: 'ch' },
      { model: Country },
    )
  },

  async down(queryInterface) {
    await queryInterface.dropTable('countries')
    await queryInterface.dropEnum('enum_countries_size')
  },
}
