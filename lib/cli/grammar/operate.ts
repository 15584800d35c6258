/** The commands for operating a fleet. */
import type { Command } from 'commander'

import { exec, type ExecFlags } from '../commands/exec.ts'
import { add, concurrent, selectTenants, type Act } from './flags.ts'

export function addOperate(program: Command, act: Act): void {
  program.commandsGroup('Operate:')
  addExec(program, act)
}

function addExec(program: Command, act: Act): void {
  concurrent(
    selectTenants(
      add(program, 'exec', 'run a program for each tenant, in its schema', [
        "exec --tenant acme -- psql -c 'SELECT count(*) FROM users'",
        'exec --all --concurrency 4 -- node report.js',
      ]),
    ),
  )
    .argument('<command...>', 'the program and its arguments, after --')
    .action(act((invocation, flags: ExecFlags, ...command) => exec(invocation, flags, ...command)))
}
