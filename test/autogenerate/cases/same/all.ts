/** Schemas that somebody else made than the models, and that are what the models say. */
export { constraints } from './constraints.ts'
export { defaults } from './defaults.ts'
export { indexes } from './indexes.ts'
export { migrations } from './migrations.ts'
export { schemas } from './schemas.ts'
export { types } from './types.ts'
