/** The rule not-awaited: calls that run queries, and whose promise nobody waits for. */
import type { File, Node } from '@babel/types'

import type { Receivers } from './code-receivers.ts'
import { bare, callee, end, isCall, isFunction, member, start, walkCode, type Call } from './code-tree.ts'
import type { Spot } from './finding.ts'

const CHAIN = new Set(['then', 'catch', 'finally'])
const COMBINATORS = new Set(['all', 'allSettled', 'race', 'any'])

/** Functions that call what they are given and forget what it returns. */
const FORGETFUL = new Set([
  'forEach',
  'setTimeout',
  'setImmediate',
  'setInterval',
  'nextTick',
  'queueMicrotask',
])

/** Functions that return what they are given returns: forgotten with their own result. */
const COLLECTING = new Set(['map', 'flatMap'])

/** The calls in `file` whose promise is dropped. */
export function droppedCalls(file: File, source: string, receivers: Receivers): readonly Spot[] {
  const spots: Spot[] = []
  walkCode(file, (node, ancestors) => {
    if (node.type === 'ExpressionStatement') drop(node.expression, ancestors)
    // `() => void query()`; as a statement it was seen already.
    else if (node.type === 'UnaryExpression' && node.operator === 'void') {
      if (ancestors.at(-1)?.type !== 'ExpressionStatement') drop(node.argument, ancestors)
    } else if (isCall(node) && FORGETFUL.has(callee(node)?.name ?? '')) {
      for (const argument of node.arguments) dropResult(argument, ancestors, callee(node)?.name ?? '')
    }
  })
  return spots

  /** The value of `node` goes nowhere. */
  function drop(node: Node, ancestors: readonly Node[]): void {
    const inner = bare(node)
    if (inner.type === 'UnaryExpression' && inner.operator === 'void') drop(inner.argument, ancestors)
    else if (inner.type === 'LogicalExpression') drop(inner.right, ancestors)
    else if (inner.type === 'SequenceExpression') for (const each of inner.expressions) drop(each, ancestors)
    else if (inner.type === 'ConditionalExpression') {
      drop(inner.consequent, ancestors)
      drop(inner.alternate, ancestors)
    } else if (isCall(inner)) dropCall(inner, ancestors)
  }

  function dropCall(call: Call, ancestors: readonly Node[]): void {
    const called = callee(call)
    // At the top of a module a file that is also a script starts itself; no migration runs there.
    const isInside = ancestors.some(isFunction)
    if (receivers.isQuery(call)) complain(call)
    else if (isInside && (receivers.isOwnQuery(call) || isImmediate(call))) complain(call)
    else if (called?.object !== undefined && CHAIN.has(called.name)) {
      // `new Promise((resolve, reject) => query.then(resolve, reject))`: somebody else waits.
      if (!isInExecutor(ancestors)) drop(called.object, ancestors)
    } else if (called?.object !== undefined && COMBINATORS.has(called.name) && isPromise(called.object)) {
      for (const argument of call.arguments) if (returnsQueries(argument)) complain(call)
    } else if (called?.object !== undefined && COLLECTING.has(called.name)) {
      for (const argument of call.arguments) dropResult(argument, ancestors, called.name)
    }
  }

  /** What the function `node` returns goes nowhere. */
  function dropResult(node: Node, ancestors: readonly Node[], caller: string): void {
    const callback = bare(node)
    if (!isFunction(callback)) return
    if (callback.async) {
      if (receivers.hasQuery(callback)) spots.push(forgotten(callback, caller))
    } else if (callback.body.type !== 'BlockStatement') drop(callback.body, ancestors)
    else for (const value of returnedBy(callback.body)) drop(value, ancestors)
  }

  /** `(async () => { … })()` with a query in it. */
  function isImmediate(call: Call): boolean {
    const called = bare(call.callee)
    return isFunction(called) && called.async === true && receivers.hasQuery(called)
  }

  /** An array of queries, or `list.map(…)` that makes one. */
  function returnsQueries(node: Node): boolean {
    const inner = bare(node)
    if (inner.type === 'ArrayExpression') {
      return inner.elements.some((each) => each !== null && isCall(bare(each)) && receivers.hasQuery(each))
    }
    return isCall(inner) && COLLECTING.has(callee(inner)?.name ?? '') && receivers.hasQuery(inner)
  }

  function complain(call: Call): void {
    const what = source.slice(start(call.callee), end(call.callee)).replace(/\s+/g, '')
    const shown = what.length > 60 || what.includes('{') ? 'this call' : `${what}(…)`
    spots.push({
      rule: 'not-awaited',
      message: `nobody waits for ${shown}: what follows can run before it, and what it still has to do may come after the run`,
      remedy: 'write await before it, or return it',
      index: start(call),
    })
  }
}

function forgotten(callback: Node, caller: string): Spot {
  const isLoop = caller === 'forEach' || COLLECTING.has(caller)
  return {
    rule: 'not-awaited',
    message: `${caller} does not wait for its async function: what follows can run before it, and its later queries may come after the run`,
    remedy: isLoop
      ? 'write for (const each of list) { await … }, or await Promise.all(list.map(…))'
      : 'await the work itself; a migration needs no timer',
    index: start(callback),
  }
}

function isPromise(node: Node): boolean {
  const inner = bare(node)
  return (
    (inner.type === 'Identifier' && /^(?:Promise|Bluebird)$/.test(inner.name)) ||
    member(inner)?.name === 'Promise'
  )
}

/** Whether some function around is what `new Promise` was given. */
function isInExecutor(ancestors: readonly Node[]): boolean {
  return ancestors.some((node, index) => {
    const parent = ancestors[index - 1]
    return isFunction(node) && parent?.type === 'NewExpression' && isPromise(parent.callee)
  })
}

/** The values a function's body returns, not those of functions in it. */
function returnedBy(body: Node): readonly Node[] {
  const values: Node[] = []
  walkCode(body, (node) => {
    if (isFunction(node)) return false
    if (node.type === 'ReturnStatement' && node.argument) values.push(node.argument)
  })
  return values
}
