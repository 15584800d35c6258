/** All commands, in the order and under the headings of the help. What each does is in `commands/`. */
import type { Command } from 'commander'

import { addAlembic } from './grammar/alembic.ts'
import type { Act } from './grammar/flags.ts'
import { addMigrate } from './grammar/migrate.ts'
import { addOperate } from './grammar/operate.ts'
import { addSequelizeCli } from './grammar/sequelize-cli.ts'
import { addTenancy } from './grammar/tenants.ts'
import { addWrite } from './grammar/write.ts'

export function addCommands(program: Command, act: Act): void {
  addMigrate(program, act)
  addWrite(program, act)
  addTenancy(program, act)
  addOperate(program, act)
  addAlembic(program, act)
  addSequelizeCli(program, act)
}
