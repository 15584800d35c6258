/** What is told of runs in a transaction that is not theirs to commit: only its end decides what has become of them. */
import { Events, type EventName, type Operation, type TenancyEvents } from './events.ts'

/** Keeps how runs have ended until it is known whether the transaction around them is committed, rolled back or tried again. */
export class HeldEvents extends Events {
  readonly #events: Events
  #held: (() => void)[] = []

  constructor(events: Events) {
    super()
    this.#events = events
  }

  override emit<Name extends EventName>(name: Name, event: TenancyEvents[Name]): void {
    const tell = () => this.#events.emit(name, event)
    if (name === 'tenant:migrated') this.#held.push(tell)
    else if (name === 'tenant:failed')
      this.#held = [tell] // nothing of the runs before it stays
    else tell()
  }

  override observing<T>(operation: Operation, fn: () => Promise<T>): Promise<T> {
    return this.#events.observing(operation, fn)
  }

  /** Tells what was kept. */
  release(): void {
    for (const tell of this.#held) tell()
    this.#held = []
  }
}
