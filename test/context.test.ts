import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { createNamespace, destroyNamespace } from 'cls-hooked'
import * as assert from 'uvu/assert'

import { TenantContext, type ContextOptions, type Namespace } from '../lib/context.ts'
import type { Tenant } from '../lib/tenant.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'

const a: Tenant = Object.freeze({ id: 'a', schema: 'a' })
const b: Tenant = Object.freeze({ id: 'b', schema: 'b' })

let names = 0

/** A namespace of cls-hooked whose `runPromise` must not be called. */
function clsNamespace(): { namespace: Namespace; name: string } {
  const name = `context test ${names++}`
  const namespace = createNamespace(name)
  namespace.runPromise = () => {
    throw new Error('runPromise leaks the inner context into its caller')
  }
  return { namespace, name }
}

function contextWith(options: Partial<ContextOptions> = {}): TenantContext {
  return new TenantContext({ searchPath: ['shared'], onMissing: 'error', ...options })
}

/** The same facts hold whatever stands behind the namespace. */
for (const kind of [
  'without a namespace',
  'with a namespace of cls-hooked',
  'with its own namespace',
] as const) {
  const test = suite(`context ${kind}`)
  let context = contextWith()
  let used: { namespace: Namespace; name: string } | undefined

  test.before.each(() => {
    if (used !== undefined) destroyNamespace(used.name)
    used = kind === 'with a namespace of cls-hooked' ? clsNamespace() : undefined
    context = contextWith({ namespace: used?.namespace })
    if (kind === 'with its own namespace') context.namespace()
  })
  test.after(() => used && destroyNamespace(used.name))

  test('the tenant is current inside run, and nobody is before and after', () => {
    assert.is(context.current(), undefined)
    assert.is(
      context.run(a, () => context.current()),
      a,
    )
    assert.is(context.current(), undefined)
  })

  test('run returns what its function returns, also a promise', async () => {
    assert.is(
      context.run(a, () => 7),
      7,
    )
    const promise = Promise.resolve(8)
    assert.is(
      context.run(a, () => promise),
      promise,
    )
    assert.is(await promise, 8)
  })

  test('O18 after a → b → a each level has its own tenant again', async () => {
    const seen: (string | undefined)[] = []
    const look = () => seen.push(context.current()?.id)
    await context.run(a, async () => {
      look()
      await context.run(b, async () => {
        look()
        await context.run(a, async () => {
          await sleep(1)
          look()
        })
        look()
      })
      look()
    })
    look()
    assert.equal(seen, ['a', 'b', 'a', 'b', 'a', undefined])
  })

  test('O18 a thrown error passes as it is and restores the tenant', async () => {
    const error = new Error('mine')
    await context.run(a, async () => {
      const thrown = await thrownBy(() =>
        context.run(b, () => {
          throw error
        }),
      )
      assert.is(thrown, error)
      assert.is(context.require(), a)
    })
  })

  test('O18 a rejection passes as it is and restores the tenant', async () => {
    const error = new Error('mine')
    await context.run(a, async () => {
      const thrown = await thrownBy(() =>
        context.run(b, async () => {
          await sleep(1)
          throw error
        }),
      )
      assert.is(thrown, error)
      assert.is(context.require(), a)
    })
    assert.is(context.current(), undefined)
  })

  test('flows that run at once do not see each other', async () => {
    const tenants = Array.from({ length: 40 }, (_, index): Tenant => ({
      id: `t${index}`,
      schema: `t${index}`,
    }))
    const seen = await Promise.all(
      tenants.map((tenant, index) =>
        context.run(tenant, async () => {
          await sleep(index % 7)
          const early = context.current()
          await Promise.resolve()
          await sleep(index % 3)
          return early === context.current() ? early?.id : 'changed'
        }),
      ),
    )
    assert.equal(
      seen,
      tenants.map(({ id }) => id),
    )
  })

  test('a timer keeps the tenant of the flow that set it', async () => {
    const seen = await context.run(
      a,
      () => new Promise((resolve) => setTimeout(() => resolve(context.current()), 1)),
    )
    assert.is(seen, a)
  })

  test('O16 a listener runs with the tenant of whoever emits, unless it is bound', () => {
    const emitter = new EventEmitter()
    const seen: (string | undefined)[] = []
    const listener = () => seen.push(context.current()?.id)
    context.run(a, () => {
      emitter.on('x', listener)
      emitter.on('x', context.bind(listener))
    })
    emitter.emit('x')
    context.run(b, () => emitter.emit('x'))
    assert.equal(seen, [undefined, 'a', 'b', 'a'])
  })

  test('O16 an unbound timer callback outside any tenant has no tenant, never another one', async () => {
    const queue: (() => unknown)[] = []
    const drained = new Promise<unknown[]>((resolve) => {
      setTimeout(() => resolve(queue.map((work) => work())), 5)
    })
    context.run(a, () => queue.push(() => context.current()))
    context.run(
      b,
      () => queue.push(context.bind(() => context.current())), // bound when b is current
    )
    assert.equal(await drained, [undefined, b])
  })

  test('a bound function keeps this, arguments and result, and leaves its caller as it was', () => {
    const bound = context.run(a, () =>
      context.bind(function (this: unknown, ...args: unknown[]) {
        return [this, args, context.current()]
      }),
    )
    const self = { name: 'self' }
    context.run(b, () => {
      assert.equal(bound.call(self, 1, 2), [self, [1, 2], a])
      assert.is(context.current(), b)
    })
  })

  test('a function bound outside any scope stays the function it is', () => {
    const fn = () => undefined
    assert.is(context.bind(fn), fn)
  })

  test('a function bound in the shared scope runs there', () => {
    const bound = context.runShared(() => context.bind(() => context.scope()))
    assert.equal(
      context.run(a, () => bound().path),
      '"shared", pg_temp',
    )
  })

  test('runShared hides the tenant and gives it back', () => {
    context.run(a, () => {
      assert.is(
        context.runShared(() => context.current()),
        undefined,
      )
      assert.is(context.current(), a)
    })
  })

  test("a scope's path is the tenant's schema, the shared ones and pg_temp, each quoted", () => {
    const path = (tenant: Tenant) => context.run(tenant, () => context.scope().path)
    assert.is(path(a), '"a", "shared", pg_temp')
    assert.is(path({ id: 'x', schema: 'a"b' }), '"a""b", "shared", pg_temp')
  })

  test('bare names mean the tenant’s schema, and the first shared one without a tenant', () => {
    assert.is(context.schema(), 'shared')
    assert.is(
      context.run(a, () => context.schema()),
      'a',
    )
  })

  test('O17 require and scope outside any scope say how to get into one', async () => {
    for (const call of [() => context.require(), () => context.scope()]) {
      const error = await failure('TENANT_CONTEXT_MISSING', call)
      assert.is(error.title, 'There is no current tenant here.')
      assert.match(error.message, 'wrap the work in tenancy.run(tenant, fn)')
      assert.match(error.message, 'keep the tenant in event handlers and streams with tenancy.bind(fn)')
      assert.match(error.message, "or set onMissing: 'shared'")
    }
  })

  test('require in the shared scope throws, since there is no tenant; scope does not', async () => {
    await context.runShared(() => failure('TENANT_CONTEXT_MISSING', () => context.require()))
    assert.is(context.runShared(() => context.scope()).tenant, undefined)
  })

  test.run()
}

const outside = suite('context outside any scope')

outside("O17 with onMissing 'shared' a statement outside any scope sees the shared schemas", async () => {
  const context = contextWith({ onMissing: 'shared' })
  assert.equal(context.scope(), { tenant: undefined, path: '"shared", pg_temp' })
  await failure('TENANT_CONTEXT_MISSING', () => context.require())
})

outside('without shared schemas the path outside a tenant holds nothing but pg_temp', () => {
  const context = contextWith({ searchPath: [] })
  assert.is(context.runShared(() => context.scope()).path, 'pg_temp')
  assert.is(context.schema(), undefined)
})

outside.run()

for (const kind of ['cls-hooked', 'AsyncLocalStorage'] as const) {
  const test = suite(`context's namespace on ${kind}`)
  // Made only where it is used: one that never had a context cannot be destroyed.
  const used = kind === 'cls-hooked' ? clsNamespace() : undefined
  test.after(() => used && destroyNamespace(used.name))
  const context = contextWith(used === undefined ? {} : { namespace: used.namespace })
  const namespace = context.namespace()
  const transaction = { id: 'a transaction' }

  test('namespace() is one and the same object', () => {
    assert.is(context.namespace(), namespace)
    if (kind === 'cls-hooked') assert.is(namespace, used?.namespace)
  })

  test('O21 the namespace shows the current tenant at every level', async () => {
    await context.run(a, async () => {
      assert.is(namespace.get('tenant'), a)
      await context.run(b, async () => {
        await sleep(1)
        assert.is(namespace.get('tenant'), b)
        context.runShared(() => assert.is(namespace.get('tenant'), undefined))
      })
      assert.is(namespace.get('tenant'), a)
    })
  })

  test('a transaction of the same tenant stays when that tenant is entered again', () => {
    context.run(a, () => {
      namespace.run(() => {
        namespace.set('transaction', transaction)
        context.run(a, () => assert.is(namespace.get('transaction'), transaction))
      })
    })
  })

  test('a transaction is hidden from another tenant, and seen again afterwards', () => {
    context.run(a, () => {
      namespace.run(() => {
        namespace.set('transaction', transaction)
        context.run(b, () => assert.is(namespace.get('transaction'), null))
        context.runShared(() => assert.is(namespace.get('transaction'), null))
        assert.is(namespace.get('transaction'), transaction)
      })
    })
  })

  test('a transaction of a → b → a is not inherited from the outer a', () => {
    context.run(a, () => {
      namespace.run(() => {
        namespace.set('transaction', transaction)
        context.run(b, () => context.run(a, () => assert.is(namespace.get('transaction'), null)))
      })
    })
  })

  test('a transaction begun outside any tenant is not inherited by a tenant', () => {
    namespace.run(() => {
      namespace.set('transaction', transaction)
      context.run(a, () => assert.is(namespace.get('transaction'), null))
    })
  })

  test('a transaction set inside a tenant does not leak out of it', () => {
    namespace.run(() => {
      context.run(a, () => namespace.set('transaction', transaction))
      assert.is(namespace.get('transaction') ?? undefined, undefined)
    })
  })

  test('values that the application keeps in the namespace are seen inside a tenant', () => {
    namespace.run(() => {
      namespace.set('user', 'ann')
      context.run(a, () => assert.is(namespace.get('user'), 'ann'))
    })
  })

  test('the namespace runs its function at once with the context it creates', () => {
    let seen: unknown
    const result = namespace.run((inner) => {
      namespace.set('x', 1)
      seen = [inner['x'], namespace.get('x')]
    })
    assert.equal(seen, [1, 1])
    assert.is((result as Record<string, unknown>)['x'], 1)
  })

  test('a child context sees its parent’s values and keeps its own', () => {
    namespace.run(() => {
      namespace.set('x', 'parent')
      namespace.run(() => {
        assert.is(namespace.get('x'), 'parent')
        namespace.set('x', 'child')
        assert.is(namespace.get('x'), 'child')
      })
      assert.is(namespace.get('x'), 'parent')
    })
  })

  test('a function bound by the namespace runs in the context of its binding', () => {
    const bound = namespace.run(() => namespace.set('x', 'bound')) as Record<string, unknown>
    const look = namespace.bind(() => namespace.get('x'), bound)
    namespace.run(() => {
      namespace.set('x', 'other')
      const here = namespace.bind((suffix: string) => `${String(namespace.get('x'))}${suffix}`)
      namespace.run(() => {
        namespace.set('x', 'inner')
        assert.is(here('!'), 'other!')
        assert.is(look(), 'bound')
      })
    })
  })

  test('the context survives timers and promises', async () => {
    let seen: unknown
    let done: Promise<void> | undefined
    namespace.run(() => {
      namespace.set('x', 'kept')
      done = sleep(1).then(() => {
        seen = namespace.get('x')
      })
    })
    await done
    assert.is(seen, 'kept')
  })

  test('get outside any context is nothing, set an error that says so', async () => {
    assert.is(namespace.get('x') ?? undefined, undefined)
    assert.match(String(await thrownBy(() => namespace.set('x', 1))), /no context|No context/)
  })

  test.run()
}
