/** Ways through a tree of JavaScript or TypeScript, and the questions that rules ask of its nodes. */
import type {
  CallExpression,
  Expression,
  Function as CodeFunction,
  Node,
  OptionalCallExpression,
} from '@babel/types'

export type Call = CallExpression | OptionalCallExpression

/** @returns `false` to stay out of what is inside the node. `ancestors` has the nearest last. */
export type CodeVisitor = (node: Node, ancestors: readonly Node[]) => boolean | void

/** Calls `visit` for every node in `tree`, outside before inside, in the order of the source. */
export function walkCode(tree: Node, visit: CodeVisitor): void {
  const ancestors: Node[] = []
  const step = (node: Node): void => {
    if (visit(node, ancestors) === false) return
    ancestors.push(node)
    for (const [key, value] of Object.entries(node)) {
      if (key.endsWith('Comments') || key === 'loc' || key === 'extra') continue
      if (isNode(value)) step(value)
      else if (Array.isArray(value)) for (const each of value) if (isNode(each)) step(each)
    }
    ancestors.pop()
  }
  step(tree)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

export function isCall(node: Node): node is Call {
  return node.type === 'CallExpression' || node.type === 'OptionalCallExpression'
}

export function isFunction(node: Node | null | undefined): node is CodeFunction {
  return (
    node?.type === 'FunctionDeclaration' ||
    node?.type === 'FunctionExpression' ||
    node?.type === 'ArrowFunctionExpression' ||
    node?.type === 'ObjectMethod' ||
    node?.type === 'ClassMethod' ||
    node?.type === 'ClassPrivateMethod'
  )
}

/** An expression without what only types and precedence need. */
export function bare(node: Node): Node {
  switch (node.type) {
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
    case 'ParenthesizedExpression':
      return bare(node.expression)
    default:
      return node
  }
}

/** `a.b`, `a?.b` and `a['b']`: the object and the name. */
export function member(node: Node): { readonly object: Expression; readonly name: string } | undefined {
  const inner = bare(node)
  if (inner.type !== 'MemberExpression' && inner.type !== 'OptionalMemberExpression') return undefined
  if (inner.object.type === 'Super') return undefined
  const name = keyName(inner.property, inner.computed)
  return name === undefined ? undefined : { object: inner.object, name }
}

/** The name a key says; none if it is computed. */
export function keyName(key: Node, isComputed: boolean): string | undefined {
  if (key.type === 'StringLiteral') return key.value
  return key.type === 'Identifier' && !isComputed ? key.name : undefined
}

/** What a call calls: `method` of `object`, or a function by its name. */
export function callee(call: Call): { readonly object?: Expression; readonly name: string } | undefined {
  const called = bare(call.callee)
  return called.type === 'Identifier' ? { name: called.name } : member(called)
}

/** The properties an object is written with. */
export function properties(
  node: Node | undefined,
): readonly { readonly key: string; readonly value: Node }[] {
  if (node === undefined) return []
  const object = bare(node)
  if (object.type !== 'ObjectExpression') return []
  return object.properties.flatMap((property) => {
    if (property.type !== 'ObjectProperty') return []
    const key = keyName(property.key, property.computed)
    return key === undefined ? [] : [{ key, value: property.value }]
  })
}

/** What a string says that is written out. */
export function stringValue(node: Node | undefined): string | undefined {
  const inner = node === undefined ? undefined : bare(node)
  if (inner?.type === 'StringLiteral') return inner.value
  if (inner?.type !== 'TemplateLiteral' || inner.expressions.length > 0) return undefined
  return inner.quasis[0]?.value.cooked ?? undefined
}

export function start(node: Node): number {
  return node.start ?? 0
}

export function end(node: Node): number {
  return node.end ?? 0
}
