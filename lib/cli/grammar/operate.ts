/** The commands for operating a fleet. */
import type { Command } from 'commander'

import { exec, type ExecFlags } from '../commands/exec.ts'
import { doctor, type DoctorFlags } from '../commands/doctor.ts'
import { locks, type LocksFlags } from '../commands/locks.ts'
import { add, concurrent, confirmable, selectTenants, type Act } from './flags.ts'

export function addOperate(program: Command, act: Act): void {
  program.commandsGroup('Operate:')
  addExec(program, act)
  addDoctor(program, act)
  addLocks(program, act)
}

function addDoctor(program: Command, act: Act): void {
  add(program, 'doctor', 'examine server, roles, schemas and tenants', ['doctor', 'doctor --show-config'])
    .option('--show-config', 'print the configuration, and where each value comes from')
    .action(act((invocation, flags: DoctorFlags) => doctor(invocation, flags)))
}

function addLocks(program: Command, act: Act): void {
  confirmable(
    add(program, 'locks', 'print who holds or waits for a migration lock', ['locks', 'locks --release 4711']),
  )
    .option('--release <pid>', 'end this process of the server')
    .action(act((invocation, flags: LocksFlags) => locks(invocation, flags)))
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
