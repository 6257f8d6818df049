import { storeContract } from '../contract/store.contract.ts'
import { openSqliteFixture } from './store.fixture.ts'

storeContract('sqlite', openSqliteFixture)
