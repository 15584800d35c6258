/** Changes what is recorded of schemas, and runs nothing: stamp, and the acceptance of changed files. */
import type { Folders } from './folders.ts'
import type { StampTarget } from './migrations/stamp.ts'
import { onEach, type FleetOf, type OnEachOptions } from './on-each.ts'
import { rehashFiles, type RehashOptions, type RehashReport } from './repair.ts'
import type { Selection } from './selection.ts'
import { planStamp, stampSchema, type StampReport } from './stamp.ts'

/** What `stamp` takes beside a selection. */
export interface StampRequest {
  /**
   * Where the schema is to stand: a file name, with or without extension, a revision id, `'head'`, or 0 for before the
   * first migration.
   */
  readonly to: StampTarget
  /**
   * Whether to say what would change, and change nothing.
   * @defaultValue `false`
   */
  readonly dryRun?: boolean
}

export type FleetStampReport = FleetOf<StampReport>
export type FleetRehashReport = FleetOf<RehashReport>

export interface RecordsOptions extends OnEachOptions, Omit<RehashOptions, 'files'> {
  readonly folders: Folders
}

export class Records {
  readonly #options: RecordsOptions

  constructor(options: RecordsOptions) {
    this.#options = options
  }

  stamp({ to, dryRun = false, ...selection }: Selection & StampRequest) {
    const options = this.#options
    return onEach<StampReport>(
      selection,
      {
        nothing: { recorded: [], forgotten: [] },
        async run(session, subject) {
          const files = await options.folders.migrationsOf(subject.tenant)
          return (dryRun ? planStamp : stampSchema)(session, subject, { ...options, to, files })
        },
        changed: ({ recorded, forgotten }) => [...forgotten, ...recorded],
      },
      options,
    )
  }

  rehash(selection: Selection) {
    const options = this.#options
    return onEach<RehashReport>(
      selection,
      {
        nothing: { accepted: [] },
        async run(session, subject) {
          const files = await options.folders.migrationsOf(subject.tenant)
          return rehashFiles(session, subject, { ...options, files })
        },
        changed: ({ accepted }) => accepted,
      },
      options,
    )
  }
}
