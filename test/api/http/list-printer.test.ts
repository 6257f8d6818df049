import { afterEach, describe, expect, it, vi } from 'vitest'
import { ListPrinter } from '../../../api/http/list-printer.ts'
import type { NamespaceSummary, RefusedText } from '../../../storage/store.ts'
import { ok } from '../../../watch/state.ts'
import { createFixture, type Fixture } from './http-api.fixture.ts'

const summary = (namespace: string, version = 1): NamespaceSummary => ({
  namespace,
  version,
  deleted: false,
  author: 'me',
  verified: false,
  message: '',
  time: 0,
  bytes: 1,
})
const none = ok<readonly RefusedText[]>([])

describe('a printed list of namespaces', () => {
  const printer = new ListPrinter({ withDeleted: false, maxBytes: 9 })
  const many = Array.from({ length: 1_000 }, (_, n) => summary(`ns-${n}`))

  it('is the same frame until something changes', () => {
    const list = ok(many)
    expect(printer.frame(list, none)).toBe(printer.frame(list, none))
  })

  it('prints only the namespaces that have changed', () => {
    printer.frame(ok(many), none)
    using stringify = vi.spyOn(JSON, 'stringify')
    const next = printer.frame(ok(many.with(500, summary('ns-500', 2))), none)
    expect(stringify.mock.calls.length).toBeLessThan(10)
    const { namespaces } = JSON.parse(next.document())
    expect(namespaces[499]).toEqual({ ...summary('ns-499'), time: '1970-01-01T00:00:00.000Z', maxBytes: 9 })
    expect(namespaces[500]).toMatchObject({ namespace: 'ns-500', version: 2 })
  })

  it('says what is refused beside what stands, and no more once it is settled', () => {
    const refusals = ok<readonly RefusedText[]>([
      { namespace: 'ns-0', reason: 'no dtab', bytes: 3, since: 0 },
      { namespace: 'zz', reason: 'no dtab either', bytes: 3, since: 0 },
    ])
    const troubled = JSON.parse(printer.frame(ok(many), refusals).document())
    expect(troubled.namespaces[0]).toMatchObject({ namespace: 'ns-0', refused: { reason: 'no dtab' } })
    expect(troubled.refused).toMatchObject([{ namespace: 'zz', reason: 'no dtab either' }])
    const settled = JSON.parse(printer.frame(ok(many), none).document())
    expect(settled.namespaces[0]).not.toHaveProperty('refused')
    expect(settled).not.toHaveProperty('refused')
  })
})

describe('a list that was asked for once', () => {
  let fixture: Fixture
  afterEach(() => fixture.close())

  it('is not printed for the writes that follow, but for the next who asks', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    const list = async (): Promise<unknown> => (await fixture.api.inject({ url: '/api/dtabs' })).json()
    await list()
    using frame = vi.spyOn(ListPrinter.prototype, 'frame')
    const headers = { 'content-type': 'application/dtab' }
    await fixture.api.inject({ method: 'PUT', url: '/api/dtabs/default', headers, payload: '/a => /c' })
    fixture.clock.settle()
    expect(frame).not.toHaveBeenCalled()
    expect(await list()).toMatchObject({ namespaces: [{ namespace: 'default', version: 2 }] })
    await list()
    const [first, again] = frame.mock.results
    expect(again?.value).toBe(first?.value)
  })
})
