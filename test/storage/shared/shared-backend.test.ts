import { sharedBackendContract } from '../../contract/shared-backend.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeSharedBackend } from '../../fakes/shared-backend.fake.ts'
import { turnUntil } from '../store.fixture.ts'

sharedBackendContract('fake', async () => {
  const clock = new FakeClock(Date.now())
  const backend = new FakeSharedBackend(clock)
  return {
    backend: backend.connect(),
    other: backend.connect(),
    outside: {
      put: async (namespace, content) => backend.put(namespace, content),
      remove: async namespace => backend.remove(namespace),
    },
    until: (what, holds) => turnUntil(clock, what, holds),
    close: async () => {},
  }
})
