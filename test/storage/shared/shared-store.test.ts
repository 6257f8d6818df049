import { storeContract } from '../../contract/store.contract.ts'
import { storeLeftOverContract } from '../../contract/store-left-overs.contract.ts'
import { openSharedFixture } from '../store.fixture.ts'

storeContract('shared', openSharedFixture)
storeLeftOverContract('shared', openSharedFixture)
