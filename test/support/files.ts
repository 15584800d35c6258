/** Runs the test files that it is given by their paths below test/, one after another, in this process. */
import { run } from 'uvu/run'

const testDir = new URL('..', import.meta.url).pathname

// uvu puts "file:///" before a path: with its own first slash it would be another module than the one that others import.
await run(process.argv.slice(2).map((name) => ({ name, file: testDir.slice(1) + name })))
