/** `version`: the same as `--version`. */
import { show, type Invocation } from '../invocation.ts'

export async function version(invocation: Invocation, number: string): Promise<number> {
  show(invocation, { version: number }, `${number}\n`)
  return Promise.resolve(0)
}
