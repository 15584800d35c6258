/** The second half of the random pairs of models. */
import { testDatabase } from '../../support/database.ts'
import { onOtherServer } from '../../support/other-server.ts'
import { suite } from '../../support/suite.ts'
import { provePairs } from '../support/pairs.ts'

const test = suite('autogenerate/properties: pairs 2')
provePairs(test, testDatabase(test), { pairs: 150, part: 0.5, seed: 2 })
test.run()

const other = suite('autogenerate/properties: pairs 2 on another server')
onOtherServer(other, (of, database) => provePairs(of, database, { pairs: 30, part: 0.5, seed: 12 }))
other.run()
