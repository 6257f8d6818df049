// The Consul namer under the laws that every namer keeps.
import { lingerMs } from '../../../interpreters/consul/consul-namer.ts'
import { type NamerFixture, namerContract } from '../../contract/namer.contract.ts'
import { createConsulFixture, instance } from './consul.fixture.ts'

async function make(): Promise<NamerFixture> {
  const { agent, namer, kernel, settle, pass } = createConsulFixture({ useHealthCheck: true })
  agent.catalog.register(instance('web'))
  return {
    namer,
    kernel,
    known: ['dc1', 'web'],
    unknown: ['dc1', 'none'],
    misshapen: ['dc1'],
    settle,
    setKnown: async exists => {
      if (exists) agent.register(instance('web'))
      else agent.deregister(instance('web'))
      await pass(1_000)
    },
    setFailing: async isFailing => {
      const failure = isFailing ? new Error('no cluster leader') : undefined
      agent.failure = () => failure
      agent.answer()
      await settle()
    },
    opened: () => agent.counts.begun,
    passLinger: async () => {
      await pass(lingerMs)
      await pass(60_000)
    },
    dispose: async () => {},
  }
}

namerContract('io.l5d.consul', make)
