// The list that tells very many absent names whether they exist by now.
import { expect, it } from 'vitest'
import { type AbsentName, AbsentNames, maxAskedAlone } from '../../../interpreters/consul/absent-names.ts'
import type { Listener } from '../../../interpreters/consul/relay.ts'
import type { ServiceLists, Services } from '../../../interpreters/consul/service-list.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

it('tells thousands of names over many turns, each the newest word only, and those that appeared first', () => {
  const clock = new FakeClock()
  const listeners: Listener<Services>[] = []
  const lists: Pick<ServiceLists, 'join'> = {
    join: (_datacenter, listener) => {
      listeners.push(listener)
      return () => {}
    },
  }
  const absent = new AbsentNames(lists, clock)
  const told: string[] = []
  const names: AbsentName[] = Array.from({ length: 1_000 }, (_, n) => {
    const name: AbsentName = {
      service: `s${n}`,
      park: () => absent.park('dc1', name),
      appeared: () => told.push(`${name.service} appeared`),
      same: () => told.push(`${name.service} same`),
      failed: () => told.push(`${name.service} failed`),
    }
    return name
  })
  for (const name of names) absent.add('dc1', name)
  expect([listeners.length, names.length > maxAskedAlone]).toEqual([1, true])
  listeners[0]?.changed(new Map())
  clock.settle()
  told.length = 0

  listeners[0]?.failed(new Error('no leader'), 0)
  expect(told.length).toBeLessThanOrEqual(200)
  listeners[0]?.changed(new Map([['s999', { name: 's999', tags: [] }]]))
  clock.settle()
  expect(told.filter(word => word.endsWith('failed')).length).toBeLessThanOrEqual(200)
  expect(told.filter(word => word.endsWith('appeared'))).toEqual(['s999 appeared'])
  expect(told.filter(word => word.endsWith('same')).length).toBe(999)
})
