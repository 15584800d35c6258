'use strict'

const TEAM = '00000000-0000-0000-0000-00000000000a'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.bulkInsert('teams', [
      {
        id: TEAM,
        name: "O'Brien & sons",
        settings: JSON.stringify({ plan: 'free', seats: 5 }),
        tags: ['a', 'b c'],
      },
    ])
    await queryInterface.bulkInsert(
      'users',
      [
        {
          email: 'ann@example.com',
          name: 'Ann',
          role: 'admin',
          team_id: TEAM,
          created_at: new Date(0),
          updated_at: new Date(0),
        },
        {
          email: 'bob@example.com',
          name: null,
          role: 'member',
          team_id: TEAM,
          created_at: new Date(0),
          updated_at: new Date(0),
        },
        {
          email: 'cleo@example.com',
          name: 'Cleo',
          role: 'member',
          team_id: null,
          created_at: new Date(),
          updated_at: new Date(),
        },
      ],
      {},
    )
    await queryInterface.bulkInsert({ tableName: 'categories' }, [{ slug: 'root' }, { slug: 'leaf' }])
    await queryInterface.bulkUpdate('categories', { parent_id: 1 }, { slug: 'leaf' })
    const inserted = await queryInterface.bulkInsert(
      'memberships',
      [{ user_id: 1, team_id: TEAM, seat: 1 }],
      { returning: true },
    )
    if (inserted.length !== 1 || inserted[0].seat !== 1)
      throw new Error(`bulkInsert answers ${JSON.stringify(inserted)}`)
  },

  async down(queryInterface) {
    await queryInterface.bulkDelete('memberships', null, {})
    await queryInterface.bulkDelete('categories', null, {
      truncate: true,
      cascade: true,
      restartIdentity: true,
    })
    await queryInterface.bulkDelete('users', {
      email: ['ann@example.com', 'bob@example.com', 'cleo@example.com'],
    })
    await queryInterface.bulkDelete('teams', { id: TEAM })
  },
}
