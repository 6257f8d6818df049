import { type Dispatcher, errors } from 'undici'
import { expect, it } from 'vitest'
import { RelayHandler } from '../../../proxy-client/library/relay-handler.ts'
import { endpointAt, pathOf } from '../naming.fake.ts'

const controller: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
}

function setUp() {
  const told: string[] = []
  const picked = {
    endpoint: endpointAt(1),
    target: undefined,
    id: '/#/fs/web',
    residual: pathOf('/'),
    answered: (outcome: string) => told.push(`answered: ${outcome}`),
    release: (outcome: string) => told.push(outcome),
  }
  const handler = { onResponseError: (_: unknown, error: Error) => told.push(error.message) }
  return { told, relay: new RelayHandler(handler, picked, () => told.push('another')) }
}

it.each([new errors.InvalidArgumentError('bad header'), new errors.NotSupportedError('bad header')])(
  'blames no endpoint for what undici does not send: $name',
  error => {
    const { told, relay } = setUp()
    relay.onResponseError(controller, error)
    expect(told).toEqual(['aborted', 'bad header'])
  },
)

it('tries another endpoint when a request has not begun, and not when it has', () => {
  const refused = setUp()
  refused.relay.onResponseError(controller, new Error('ECONNREFUSED'))
  expect(refused.told).toEqual(['refused', 'another'])
  const broken = setUp()
  broken.relay.onRequestStart(controller, {})
  broken.relay.onResponseError(controller, new Error('ECONNRESET'))
  expect(broken.told).toEqual(['failure', 'ECONNRESET'])
})

it.each([
  [200, 'success'],
  [503, 'failure'],
])('tells how an answer of %d is when it begins, not at its end nor by what comes before it', (status, outcome) => {
  const { told, relay } = setUp()
  relay.onRequestStart(controller, {})
  relay.onResponseStart(controller, 103, {}, 'Early Hints')
  expect(told).toEqual([])
  relay.onResponseStart(controller, status, {}, '')
  expect(told).toEqual([`answered: ${outcome}`])
  relay.onResponseEnd(controller, {})
  expect(told).toEqual([`answered: ${outcome}`, outcome])
})
