/**
 * Findings that were looked at and accepted: `umzug-tenants: accept RULE reason` in a comment, for the line it ends
 * or, on a line of its own, for the next one. What accepts nothing, or without a reason, is a finding itself.
 */
import { LINT_RULES, type Comment, type LintRule, type Spot } from './finding.ts'
import type { Lines } from './text.ts'

interface Acceptance {
  readonly rule: LintRule
  readonly index: number
  /** The line whose findings it accepts. */
  line: number
  isUsed: boolean
}

/** `spots` without those that `comments` accept, and with those the acceptances are themselves. */
export function withoutAccepted(
  spots: readonly Spot[],
  comments: readonly Comment[],
  lines: Lines,
): readonly Spot[] {
  const complaints: Spot[] = []
  const acceptances: Acceptance[] = []
  for (const comment of comments) {
    const said = /^[\s*]*umzug-tenants:\s*accept\b(.*)/s.exec(comment.text)?.[1]
    if (said === undefined) continue
    const { rule, complaint } = read(said)
    if (rule === undefined) complaints.push({ ...complaint, index: comment.start })
    else acceptances.push({ rule, index: comment.start, line: lineFor(comment, lines), isUsed: false })
  }
  stack(acceptances, lines)
  const left = spots.filter((spot) => {
    const line = lines.lineOf(spot.index)
    const accepting = acceptances.filter((each) => each.rule === spot.rule && each.line === line)
    for (const each of accepting) each.isUsed = true
    return accepting.length === 0
  })
  const unused = acceptances.filter(({ isUsed }) => !isUsed)
  return [...left, ...complaints, ...unused.map(({ rule, index }) => ({ ...nothingAccepted(rule), index }))]
}

type Reading =
  | { readonly rule: LintRule; readonly complaint?: never }
  | { readonly rule?: never; readonly complaint: Omit<Spot, 'index'> }

function read(said: string): Reading {
  const [name = '', ...reason] = said.trim().split(/\s+/)
  const rule = LINT_RULES.find((each) => each === name && each !== 'acceptance')
  if (rule === undefined) {
    return {
      complaint: {
        rule: 'acceptance',
        message: name === '' ? 'this accepts no rule' : `there is no rule "${name}" to accept`,
        remedy: `write accept RULE reason; the rules are ${LINT_RULES.slice(0, -1).join(', ')}`,
      },
    }
  }
  if (reason.some((word) => /\w/.test(word))) return { rule }
  return {
    complaint: {
      rule: 'acceptance',
      message: `${rule} is accepted without a reason`,
      remedy: `say after ${rule} why it is right here`,
    },
  }
}

function nothingAccepted(rule: LintRule): Omit<Spot, 'index'> {
  return {
    rule: 'acceptance',
    message: `no ${rule} is found here, so this accepts nothing`,
    remedy: 'remove the comment, or put it on the line of the finding or on the line above it',
  }
}

/** The line a comment speaks of: its own if something stands there before it, else the next. */
function lineFor({ start, end }: Comment, lines: Lines): number {
  const isAlone = lines.before(start).trim() === '' && lines.after(end).trim() === ''
  return isAlone ? lines.lineOf(Math.max(start, end - 1)) + 1 : lines.lineOf(start)
}

/** Acceptances in lines of their own, one below the other, all speak of the line below the last. */
function stack(acceptances: Acceptance[], lines: Lines): void {
  const ordered = acceptances.toSorted((a, b) => b.index - a.index)
  for (const acceptance of ordered) {
    const below = ordered.find((each) => each !== acceptance && lines.lineOf(each.index) === acceptance.line)
    if (below !== undefined && below.line > acceptance.line) acceptance.line = below.line
  }
}
