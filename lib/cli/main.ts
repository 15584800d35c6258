#!/usr/bin/env node
/** The executable: arguments in, exit code out; the only place that touches either. */
import { Console } from 'node:console'

import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

/** How long a pool or timer of the application may keep the process after the command is done. */
const GRACE_MS = 500

// What a configuration, a model or a migration prints is not data; Sequelize logs with console.log unless told not to.
Object.assign(console, new Console(process.stderr, process.stderr))

// A reader that has gone (`| head`) must not end a migration half way.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

void run(process.argv.slice(2), processTerminal()).then((exitCode) => {
  process.exitCode = exitCode
  process.stdout.write('', () => setTimeout(() => process.exit(), GRACE_MS).unref())
})
