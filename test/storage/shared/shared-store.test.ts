import { storeContract } from '../../contract/store.contract.ts'
import { openSharedFixture } from '../store.fixture.ts'

storeContract('shared', openSharedFixture)
