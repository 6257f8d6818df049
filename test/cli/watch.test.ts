import { describe, expect, it } from 'vitest'
import { FakeClock } from '../fakes/clock.fake.ts'
import { createCliFixture, Screen, until } from './cli.fixture.ts'

/** A watch in the background; `stop` interrupts it and gives its exit code. */
function start(fixture: Awaited<ReturnType<typeof createCliFixture>>, line: string, changes: object = {}) {
  const screen = new Screen()
  const errors = new Screen()
  const interrupt = new AbortController()
  const io = { stdout: screen.write, stderr: errors.write, interrupted: interrupt.signal, ...changes }
  const ran = fixture.run(line, io)
  return {
    screen,
    errors,
    stop: async () => {
      interrupt.abort()
      return (await ran).code
    },
  }
}

describe('namerctl dtab watch', () => {
  it('prints each newer state once, until it is interrupted', async () => {
    const fixture = await createCliFixture()
    fixture.file('a.dtab', '/a => /b ;\n')
    fixture.file('c.dtab', '/a => /c ;\n')
    const watch = start(fixture, 'dtab watch default')
    await watch.screen.shows('# default does not exist\n')
    await fixture.run('dtab put default a.dtab')
    await watch.screen.shows('/a  => /b ;\n')
    await fixture.run('dtab put default c.dtab')
    await watch.screen.shows('/a  => /c ;\n')
    await fixture.run('dtab delete default')
    await watch.screen.shows('is deleted\n')
    expect(await watch.stop()).toBe(0)
    expect(watch.screen.text).toMatchInlineSnapshot(`
      "# default does not exist
      # version 1, written by ann at 2023-11-14T22:13:20.000Z
      /a  => /b ;
      # version 2, written by ann at 2023-11-14T22:13:20.000Z
      /a  => /c ;
      # version 3: default is deleted
      "
    `)
  })

  it('connects again after a jittered wait, says so once, and repeats nothing', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/a => /b' } })
    fixture.file('c.dtab', '/a => /c ;\n')
    const clock = new FakeClock()
    const asked: URL[] = []
    let mode: 'real' | 'ends' | 'refused' = 'ends'
    const io = {
      clock,
      random: () => 1,
      fetch: async (input: string, init: RequestInit) => {
        asked.push(new URL(input))
        if (mode === 'refused') throw new Error('connection refused')
        const response = await fetch(input, init)
        if (mode === 'real') return response
        mode = 'refused'
        const reader = response.body?.getReader()
        const first = await reader?.read()
        await reader?.cancel()
        return new Response(first?.value ?? '')
      },
    }
    const watch = start(fixture, 'dtab watch default', io)
    await watch.errors.shows('the server ended the stream; connecting again')
    for (const waitMs of [400, 800, 1600]) {
      const before = asked.length
      await until(() => clock.waiting === 1)
      clock.advance(waitMs - 1)
      expect(asked.length).toBe(before)
      clock.advance(1)
      await until(() => asked.length === before + 1)
    }
    mode = 'real'
    await fixture.run('dtab put default c.dtab')
    await until(() => clock.waiting === 1)
    clock.advance(3200)
    await watch.screen.shows('/a  => /c ;\n')
    expect(await watch.stop()).toBe(0)
    expect(watch.screen.text.match(/=> \/b/g)).toHaveLength(1)
    expect(watch.errors.text).toBe('the server ended the stream; connecting again\nconnected again\n')
    expect(asked[0]?.searchParams.has('from')).toBe(false)
    expect(asked.at(-1)?.searchParams.get('from')).toMatch(/^[0-9a-f]{16}$/)
  })

  it('gives one JSON event per line with -o json', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/a => /b' } })
    const watch = start(fixture, 'dtab watch default -o json')
    await watch.screen.shows('\n')
    expect(await watch.stop()).toBe(0)
    expect(JSON.parse(watch.screen.text)).toMatchObject({ type: 'state', dtabVersion: 1, dtab: [{ prefix: '/a' }] })
  })

  it('ends at once when the server refuses or cannot be reached', async () => {
    const fixture = await createCliFixture()
    expect((await fixture.run('dtab watch no/such')).code).toBe(1)
    const gone = await fixture.run('dtab watch default', { fetch: () => Promise.reject(new Error('no route')) })
    expect(gone.code).toBe(1)
    expect(gone.err).toContain('no server answers')
  })
})

describe('namerctl bind --watch', () => {
  it('prints each newer tree', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/svc => /#/io.test' } })
    fixture.file('b.dtab', '/svc/web => /#/io.test/web-v2 ;')
    fixture.namer.set('web', '10.0.0.1:80')
    fixture.namer.set('web-v2', '10.0.0.2:80')
    const watch = start(fixture, 'bind /svc/web --watch')
    await watch.screen.shows('/#/io.test/web: 10.0.0.1:80\n')
    await fixture.run('dtab put default b.dtab')
    await watch.screen.shows('# version 2\n/#/io.test/web-v2: 10.0.0.2:80\n')
    expect(await watch.stop()).toBe(0)
  })
})
