/**
 * uvu's suite, made honest. uvu alone exits 0 when `before` throws (the tests silently do not run) and when
 * `after.each` throws (even if tests failed), and a throwing `after` takes the later files with it. Here all
 * three fail the run.
 */
import { suite as uvuSuite, type Test } from 'uvu'

type Hook = () => unknown
type Handler = () => unknown

export interface Suite {
  (name: string, handler: Handler): void
  before: ((hook: Hook) => void) & { each(hook: Hook): void }
  after: ((hook: Hook) => void) & { each(hook: Hook): void }
  run(): void
}

export function suite(name: string): Suite {
  const inner: Test = uvuSuite(name)
  const befores: Hook[] = []
  const afters: Hook[] = []
  const afterEachs: Hook[] = []
  let setUp: { error: unknown } | undefined

  const test = (title: string, handler: Handler) => {
    inner(title, async () => {
      let failure: { error: unknown } | undefined = setUp
      if (failure === undefined) failure = await attempt([handler])
      failure = (await attempt(afterEachs)) ?? failure
      if (failure !== undefined) throw failure.error
    })
  }
  inner.before(async () => {
    setUp = await attempt(befores, true)
  })
  inner.after(async () => {
    const failure = await attempt(afters.toReversed())
    if (failure !== undefined) report(`after of ${name}`, failure.error)
  })
  return Object.assign(test, {
    before: Object.assign((hook: Hook) => void befores.push(hook), {
      each: (hook: Hook) =>
        inner.before.each(async () => {
          if (setUp === undefined) setUp = await attempt([hook])
        }),
    }),
    after: Object.assign((hook: Hook) => void afters.push(hook), {
      each: (hook: Hook) => void afterEachs.push(hook),
    }),
    run: () => inner.run(),
  })
}

/** Runs every hook, or up to the first failure; the first failure is the answer. */
async function attempt(hooks: readonly Hook[], stopAtFirst = false): Promise<{ error: unknown } | undefined> {
  let failure: { error: unknown } | undefined
  for (const hook of hooks) {
    try {
      await hook()
    } catch (error) {
      failure ??= { error }
      if (stopAtFirst) break
    }
  }
  return failure
}

/** A failure outside any test: printed, and the process exits with 1 whatever uvu says later. */
function report(where: string, error: unknown): void {
  console.error(`\n  FAIL  ${where}\n`, error)
  process.once('exit', () => {
    process.exitCode = 1
  })
}
