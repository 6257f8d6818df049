import { afterEach, describe, expect, it } from 'vitest'
import { type Codec, createCodec } from '../../../api/http/codec.ts'
import { orThrow } from '../../../naming/result.ts'
import { createFixture, SteppedClock } from './http-api.fixture.ts'

let codec: Codec
afterEach(() => codec.close())

const entries = 3_600
/** Over a megabyte. */
const large = Array.from({ length: entries }, (_, i) => `/svc/n${i} => /#/io.test/${'n'.repeat(270)}${i} ;\n`).join('')
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('the codec', () => {
  it('does small work at once and sends large bodies to a worker', async () => {
    codec = createCodec(new SteppedClock())
    const small = orThrow(await codec.decode(bytes('/a => /b'), 'text/plain', 'n'))
    expect([small.text, codec.jobsSent]).toEqual(['/a => /b', 0])
    const decoded = orThrow(await codec.decode(bytes(large), 'text/plain', 'n'))
    expect([decoded.text === large, codec.jobsSent]).toEqual([true, 1])
    const printed = orThrow(await codec.print(large, 'json'))
    expect(codec.jobsSent).toBe(2)
    const again = orThrow(await codec.decode(bytes(printed.text), 'application/json', 'n'))
    expect(orThrow(await codec.print(again.text, 'json'))).toEqual(printed)
    expect(codec.printNow(large, 'json')).toBeUndefined()
  })

  it('brings errors back from the worker with their place', async () => {
    codec = createCodec(new SteppedClock())
    const result = await codec.decode(bytes(`${large}/x => |`), 'text/plain', 'n')
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'bad-dtab', detail: { position: { line: entries + 1 } } },
    })
    const nested = await codec.decode(bytes('('.repeat(2_000_000)), 'text/plain', 'n')
    expect(nested).toMatchObject({ ok: false, error: { code: 'bad-dtab' } })
    const json = await codec.decode(bytes('['.repeat(2_000_000)), 'application/json', 'n')
    expect(json).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })

  it('reads and applies many edits of a small dtab in the worker', async () => {
    codec = createCodec(new SteppedClock())
    const ops = Array.from({ length: 9_000 }, (_, i) => ({ op: 'set', prefix: `/svc/n${i}`, dst: '/b' }))
    const edits = orThrow(await codec.decodeEdits(bytes(JSON.stringify({ ops }))))
    expect([edits.length, codec.jobsSent]).toEqual([9_000, 1])
    const edited = orThrow(await codec.edit('/svc => /x', edits))
    expect([edited.text.split('\n').length, codec.jobsSent]).toEqual([9_002, 2])
    expect(orThrow(await codec.edit(edited.text, edits.slice(0, 1))).text).toBe(edited.text)
    expect(codec.jobsSent).toBe(2)
  })

  it('refuses more edits than one request may hold, with the place', async () => {
    codec = createCodec(new SteppedClock())
    const ops = Array.from({ length: 10_001 }, () => ({ op: 'set', prefix: '/svc', dst: '/b' }))
    const decoded = await codec.decodeEdits(bytes(JSON.stringify({ ops })))
    expect(decoded).toMatchObject({ ok: false, error: { code: 'bad-request', detail: { at: '/ops' } } })
  })

  it('takes a stored text that does not parse for the fault of the store', async () => {
    codec = createCodec(new SteppedClock())
    expect(await codec.print('/a =>', 'json')).toMatchObject({ ok: false, error: { code: 'store-corrupt' } })
  })

  it('ends an idle worker and starts another when it is needed', async () => {
    const clock = new SteppedClock()
    codec = createCodec(clock)
    await codec.print(large, 'shown-text')
    clock.advance(30_000)
    expect(clock.waiting).toBe(0)
    expect((await codec.print(large, 'shown-json')).ok).toBe(true)
  })

  it('answers what is under way when it is closed', async () => {
    codec = createCodec(new SteppedClock())
    const answer = codec.print(large, 'json')
    await codec.close()
    expect(await answer).toMatchObject({ ok: false, error: { code: 'unavailable' } })
  })
})

describe('large dtabs over HTTP', () => {
  it('are written, read, watched and compared', async () => {
    codec = createCodec(new SteppedClock())
    const fixture = await createFixture()
    const url = '/api/dtabs/big'
    const put = (body: string, more = {}) =>
      fixture.api.inject({ method: 'PUT', url, headers: { 'content-type': 'text/plain', ...more }, payload: body })
    expect((await put(large)).statusCode).toBe(201)
    expect((await put(`${large}/new => /x`)).statusCode).toBe(200)
    expect((await fixture.api.inject({ url })).json().dtab).toHaveLength(entries + 1)
    const diff = await fixture.api.inject({ url: `${url}/diff?from=1` })
    const headers = { 'content-type': 'application/json' }
    const payload = JSON.stringify({ ops: [{ op: 'set', prefix: '/new', dst: '/y' }] })
    const patched = await fixture.api.inject({ method: 'PATCH', url, headers, payload })
    expect(patched.json()).toMatchObject({ version: 3, replaced: { version: 2, bytes: large.length + 10 } })
    expect(patched.json().replaced).not.toHaveProperty('text')
    const lost = await put('/a => /b', { 'if-match': '"2"' })
    expect(lost.json().diff.text).toBe('- /new => /x ;\n+ /new => /y ;\n')
    expect(diff.json().changes).toEqual([{ change: 'added', index: entries, prefix: '/new', dst: '/x' }])
    await fixture.close()
  })
})
