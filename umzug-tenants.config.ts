/** Read by the command line and by the example application: both see the same tenants on the same server. */
import { tenancyConfig } from './example-app/config.ts'
import { openDatabase } from './example-app/database.ts'

export default tenancyConfig(openDatabase)
