import { storeContract } from '../contract/store.contract.ts'
import { openMemoryFixture } from './store.fixture.ts'

storeContract('memory', openMemoryFixture)
