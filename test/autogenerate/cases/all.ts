/** All cases, by what they are about. */
import type { Cases } from '../support/case.ts'
import { columns } from './columns.ts'
import { constraints } from './constraints.ts'
import { defaults } from './defaults.ts'
import { enums } from './enums.ts'
import { indexes } from './indexes.ts'
import { renames } from './renames.ts'
import * as same from './same/all.ts'
import { tables } from './tables.ts'
import { types } from './types.ts'

export const CASES: Readonly<Record<string, Cases>> = {
  tables,
  columns,
  types,
  defaults,
  indexes,
  constraints,
  enums,
  renames,
  'same types': same.types,
  'same defaults': same.defaults,
  'same indexes': same.indexes,
  'same constraints': same.constraints,
  'same schemas': same.schemas,
  'same by migrations': same.migrations,
}
