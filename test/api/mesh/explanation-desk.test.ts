import { expect, test } from 'vitest'
import { ExplanationDesk } from '../../../api/mesh/explanation-desk.ts'

test('explanations are begun one at a time, in the order in which they were asked for', () => {
  const desk = new ExplanationDesk({ add: () => {} })
  const begun: string[] = []
  for (const name of ['a', 'b', 'c']) desk.ask(`10.0.0.1 ${name}`, () => begun.push(name))
  const steps = [desk.work(), desk.work(), desk.work(), desk.work()]
  expect({ steps, begun }).toEqual({ steps: [true, true, false, false], begun: ['a', 'b', 'c'] })
})

test('what one client has asked for and not got stands in nobody’s way but its own', () => {
  const desk = new ExplanationDesk({ add: () => {} })
  const refusals = ['10.0.0.1', '10.0.0.2'].map(
    client => Array.from({ length: 150 }, () => desk.ask(client, () => {})).filter(({ ok }) => !ok).length,
  )
  expect({ refusals, open: desk.open }).toEqual({ refusals: [50, 50], open: 200 })
})
