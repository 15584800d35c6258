/** The application's models, defined on its Sequelize by the module that it names. */
import type { Sequelize } from 'sequelize'

import { messageOf, TenancyError } from '../errors.ts'
import { importFile } from '../import-file.ts'

/** By its import alone, or by its default export. */
export async function defineModels(path: string, sequelize: Sequelize): Promise<void> {
  try {
    const { default: define } = await importFile(path)
    if (typeof define === 'function' && !isSequelizeClass(define)) await define(sequelize)
  } catch (error) {
    throw new TenancyError('CONFIG_INVALID', `The models cannot be loaded: ${path}`, {
      detail: messageOf(error),
      fix: ['correct the file, or models in the configuration'],
      cause: error,
    })
  }
}

/** A model is a function too: a module with one model may export it as its default. */
function isSequelizeClass(exported: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(exported))
}
