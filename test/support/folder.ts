/** Temporary folders with files in them, removed after the suite. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import type { Suite } from './suite.ts'

/** Contents by path, relative to the folder. */
export type Files = Readonly<Record<string, string>>

export type MakeFolder = (files?: Files) => Promise<string>

/** A function that makes a new folder holding `files`, for the time of the suite. */
export function temporaryFolders(test: Suite): MakeFolder {
  const folders: string[] = []
  test.after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))
  return async (files = {}) => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'umzug-tenants-test-')))
    folders.push(folder)
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    return folder
  }
}
