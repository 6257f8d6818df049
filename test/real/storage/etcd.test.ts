// The store on a real etcd: one server, and a cluster of three of which one is stopped.
import { afterAll, beforeAll, describe } from 'vitest'
import { storeContract } from '../../contract/store.contract.ts'
import { storeLeftOverContract } from '../../contract/store-left-overs.contract.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { freshPrefix, openBackend, openStore } from './etcd-store.fixture.ts'
import { openLeftOverFixture, openRealFixture, realContract } from './store.fixture.ts'

let single: RealEtcd
let three: RealEtcd

beforeAll(async () => {
  ;[single, three] = await Promise.all([RealEtcd.start(), RealEtcd.start({ servers: 3 })])
  const leader = await three.leader()
  await leader.kill()
  await three.leader()
}, 60_000)

afterAll(async () => {
  await single[Symbol.asyncDispose]()
  await three[Symbol.asyncDispose]()
})

const openOn = (etcd: () => RealEtcd) => () => {
  const place = { endpoints: etcd().endpoints, pathPrefix: freshPrefix() }
  return openRealFixture(env => openStore(place, env))
}

describe.concurrent('on real servers', () => {
  storeContract(
    'etcd',
    openOn(() => single),
    realContract,
  )
  storeContract(
    'etcd, with one of three servers stopped,',
    openOn(() => three),
    realContract,
  )
  const openLeftOvers = () => {
    const place = { endpoints: single.endpoints, pathPrefix: freshPrefix() }
    return openLeftOverFixture(env => openBackend(place, env))
  }
  storeLeftOverContract('etcd', openLeftOvers, realContract)
})
