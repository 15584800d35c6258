/** `completion`: the script with which a shell completes what is typed. */
import type { Command } from 'commander'

import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { commandTree } from '../completion/tree.ts'
import { zshScript } from '../completion/zsh.ts'
import { show, type Invocation } from '../invocation.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

type Shell = (typeof SHELLS)[number]

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

export async function completion(invocation: Invocation, program: Command, shell: Shell): Promise<number> {
  const script = SCRIPTS[shell](program.name(), commandTree(program))
  show(invocation, { shell, script }, script)
  return Promise.resolve(0)
}
