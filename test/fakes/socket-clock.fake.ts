// A clock that stands still until a test moves it, while deferred work runs by itself: for tests with real sockets.
import { type Clock, systemClock } from '../../watch/clock.ts'
import { FakeClock } from './clock.fake.ts'

export class SocketClock extends FakeClock {
  override defer: Clock['defer'] = systemClock.defer
}
