/** The commands for operating a fleet. */
import { Argument, Option, type Command } from 'commander'

import { exec, type ExecFlags } from '../commands/exec.ts'
import { LANGUAGES } from '../../migrations/starter.ts'
import { completion, SHELLS } from '../commands/completion.ts'
import { doctor, type DoctorFlags } from '../commands/doctor.ts'
import { init, type InitFlags } from '../commands/init.ts'
import { locks, type LocksFlags } from '../commands/locks.ts'
import { version } from '../commands/version.ts'
import { add, limitFleet, confirmable, selectTenants, type Act } from './flags.ts'

export function addOperate(program: Command, act: Act): void {
  program.commandsGroup('Operate:')
  addExec(program, act)
  addDoctor(program, act)
  addLocks(program, act)
  addInit(program, act)
  addCompletion(program, act)
  addVersion(program, act)
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
  limitFleet(
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

function addInit(program: Command, act: Act): void {
  const language = new Option('--language <language>', "default: the project's own")
  add(program, 'init', 'write a configuration, folders and a first migration', ['init', 'init --language ts'])
    .addOption(language.choices(LANGUAGES))
    .action(act((invocation, flags: InitFlags) => init(invocation, flags)))
}

function addCompletion(program: Command, act: Act): void {
  const shell = new Argument('<shell>', 'the shell that is to complete').choices(SHELLS)
  add(program, 'completion', 'print the script that makes a shell complete', [
    'completion bash > umzug-tenants.bash',
    'completion fish | source',
  ])
    .addArgument(shell)
    .action(
      act((invocation, _flags, name) => {
        const [bash, ...others] = SHELLS
        return completion(invocation, program, others.find((each) => each === name) ?? bash)
      }),
    )
}

function addVersion(program: Command, act: Act): void {
  add(program, 'version', 'print the version', ['version']).action(
    act((invocation) => version(invocation, program.version() ?? '')),
  )
}
