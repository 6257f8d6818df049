import { expect, it } from 'vitest'
import { plainFailure } from '../../runtime/grpc-failure.ts'

it.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:4321. Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:4321',
  ],
  ['No connection established. Last error: closed. Resolution note: from cache', 'closed. Resolution note: from cache'],
  ['No connection established', 'No connection established'],
  ['the server is stopping', 'the server is stopping'],
  ['', ''],
])('of %j is told %j', (details, told) => {
  expect(plainFailure(details)).toBe(told)
})
