'use strict'

const { addTimestamps, removeTimestamps } = require('./lib/timestamps.cjs')

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    for (const table of ['teams', 'orders']) await addTimestamps(queryInterface, Sequelize, table)
  },

  async down(queryInterface) {
    for (const table of ['orders', 'teams']) await removeTimestamps(queryInterface, table)
  },
}
