'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.createFunction(
      'add_tax',
      [
        { type: 'integer', name: 'net' },
        { type: 'numeric', name: 'rate', direction: 'IN' },
      ],
      'numeric',
      'plpgsql',
      'RETURN round(net * (1 + rate));',
      ['IMMUTABLE'],
    )
    await queryInterface.createFunction(
      'add_tax',
      [
        { type: 'integer', name: 'net' },
        { type: 'numeric', name: 'rate' },
      ],
      'numeric',
      'plpgsql',
      'result := net * (1 + rate); RETURN round(result);',
      [' STABLE'],
      { force: true, variables: [{ type: 'numeric', name: 'result', default: 0 }] },
    )
    await queryInterface.createFunction(
      'touch',
      [],
      'trigger',
      'plpgsql',
      'NEW.updated_at := NEW.created_at; RETURN NEW;',
    )
    await queryInterface.createFunction('passing', [], 'integer', 'plpgsql', 'RETURN 1;')
    await queryInterface.renameFunction('passing', [], 'passed')
    await queryInterface.createTrigger(
      'users',
      'users_touch',
      'before',
      ['insert', 'update'],
      'touch',
      [],
      ['FOR EACH ROW'],
    )
    await queryInterface.createTrigger(
      'invoices',
      'invoices_late',
      'after_constraint',
      ['insert'],
      'touch',
      [],
      ['DEFERRABLE INITIALLY DEFERRED', 'FOR EACH ROW'],
    )
    await queryInterface.renameTrigger('users', 'users_touch', 'users_are_touched')
    await queryInterface.createTrigger(
      { tableName: 'teams' },
      'teams_touch',
      'before',
      ['delete'],
      'touch',
      [],
      ['FOR EACH STATEMENT'],
    )
    await queryInterface.dropTrigger('teams', 'teams_touch')
    await queryInterface.dropTrigger('invoices', 'invoices_late')
    await queryInterface.dropFunction('passed', [])
  },

  async down(queryInterface) {
    await queryInterface.dropTrigger('users', 'users_are_touched')
    await queryInterface.dropFunction('touch', [])
    await queryInterface.dropFunction('add_tax', [{ type: 'integer' }, { type: 'numeric' }])
  },
}
