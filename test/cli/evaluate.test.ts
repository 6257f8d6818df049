import { describe, expect, it } from 'vitest'
import { systemClock } from '../../watch/clock.ts'
import { createCliFixture } from './cli.fixture.ts'

const dtab = `/svc => /#/io.test ;
/svc/web => 9 * /#/io.test/web-v1 & 1 * /#/io.test/web-v2 ;
/svc/fall => /#/io.test/none | /svc/web ;`

async function createNames() {
  const fixture = await createCliFixture({ namespaces: { default: dtab } })
  fixture.namer.set('web-v1', '10.0.0.1:80', '10.0.0.2:80')
  fixture.namer.set('web-v2', '10.0.1.1:80')
  return fixture
}

describe('namerctl bind', () => {
  it('shows the tree with its endpoints', async () => {
    const { run } = await createNames()
    expect(await run('bind /svc/web/more')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "split by weight
        9 * /#/io.test/web-v1, residual /more: 10.0.0.1:80 10.0.0.2:80
        1 * /#/io.test/web-v2, residual /more: 10.0.1.1:80
      ",
      }
    `)
    expect((await run('bind /svc/web-v2')).out).toBe('/#/io.test/web-v2: 10.0.1.1:80\n')
  })

  it('takes a namespace and a local dtab', async () => {
    const { run } = await createNames()
    expect(await run(['bind', '/x', '-n', 'nowhere', '--dtab', '/x => /#/io.test/web-v2'])).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "# the namespace nowhere does not exist: only the local dtab counts
      ",
        "out": "/#/io.test/web-v2: 10.0.1.1:80
      ",
      }
    `)
  })

  it('exits 4 when there is no such name, 1 when it is not known yet', async () => {
    const { run } = await createNames()
    expect(await run('bind /svc/nope')).toMatchInlineSnapshot(`
      {
        "code": 4,
        "err": "namerctl: there is no name /svc/nope: \`namerctl delegate /svc/nope\` shows where it ends
      ",
        "out": "",
      }
    `)
    expect(await run('bind /svc/wait --wait 0')).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: /svc/wait is not known yet: it waits for /#/io.test/wait; try again
      ",
        "out": "",
      }
    `)
  })

  it('asks again for two seconds while a backend is asked for the first time, or for as long as it is told', async () => {
    const { run } = await createNames()
    let now = 0
    const clock = {
      ...systemClock,
      monotonic: () => now,
      after: (ms: number, then: () => void) => {
        now += ms
        return systemClock.defer(then)
      },
    }
    const asked: number[] = []
    const countingFetch: typeof fetch = (...request) => {
      asked.push(now)
      return fetch(...request)
    }
    expect(await run('bind /svc/wait', { clock, fetch: countingFetch })).toMatchObject({ code: 1 })
    expect([asked.length, now]).toEqual([21, 2_000])
    expect(await run('bind /svc/wait --wait 0.3', { clock, fetch: countingFetch })).toMatchObject({ code: 1 })
    expect([asked.length, now]).toEqual([25, 2_300])
    expect(await run('bind /svc/wait --wait soon')).toMatchObject({ code: 2 })
  })

  it('says how to find out which backend keeps a name from being bound', async () => {
    const { namer, run } = await createNames()
    namer.failing = 'web-v2'
    expect(await run('bind /svc/web-v2')).toMatchObject({
      code: 1,
      err: 'namerctl: the backend is away: `namerctl delegate /svc/web-v2` shows which alternative it is\n',
    })
  })

  it('shows where a path or a local dtab is wrong', async () => {
    const { run } = await createNames()
    expect((await run('bind svc')).err).toMatchInlineSnapshot(`
      "namerctl: PATH:1:1: '/' expected but 's' found
        svc
        ^
      "
    `)
    expect((await run(['bind', '/svc/web', '--dtab', '/svc => /a |'])).err).toMatchInlineSnapshot(`
      "namerctl: --dtab:1:13: simple expected but end of input found
        /svc => /a |
                    ^
      "
    `)
  })

  it('gives the answer as it came with -o json', async () => {
    const { run } = await createNames()
    expect(JSON.parse((await run('bind /svc/web-v2 -o json')).out)).toMatchObject({
      namespace: 'default',
      dtabVersion: 1,
      tree: { type: 'leaf', bound: { id: '/#/io.test/web-v2' } },
    })
  })
})

describe('namerctl resolve', () => {
  it('prints one endpoint per line', async () => {
    const { run } = await createNames()
    expect(await run('resolve /svc/web-v1')).toEqual({ code: 0, out: '10.0.0.1:80\n10.0.0.2:80\n', err: '' })
  })

  it('exits 4 when there is no such name', async () => {
    const { run } = await createNames()
    expect((await run('resolve /svc/nope')).code).toBe(4)
  })
})

describe('namerctl delegate', () => {
  it('shows every alternative with its rule, and marks the way taken', async () => {
    const { run } = await createNames()
    expect((await run('delegate /svc/fall')).out).toMatchInlineSnapshot(`
      "> /svc/fall: the first of
          /#/io.test/none: ~ no such name  (/svc/fall => /#/io.test/none | /svc/web)
      >   /svc/web: the first of  (/svc/fall => /#/io.test/none | /svc/web)
      >     /svc/web: split by weight  (/svc/web => 9*/#/io.test/web-v1 & /#/io.test/web-v2)
      >       9 * /#/io.test/web-v1: 10.0.0.1:80 10.0.0.2:80
      >       1 * /#/io.test/web-v2: 10.0.1.1:80
            /#/io.test/web: ~ no such name  (/svc => /#/io.test)
          /#/io.test/fall: ~ no such name  (/svc => /#/io.test)
      "
    `)
  })

  it('says of an alternative that exists why it was passed over', async () => {
    const { namer, run } = await createNames()
    namer.set('none').set({ kind: 'neg', why: 'it exists, but has no usable endpoint' })
    expect((await run('delegate /svc/fall')).out).toContain(
      '/#/io.test/none: ~ it exists, but has no usable endpoint  (',
    )
  })

  it('explains a name that leads nowhere', async () => {
    const { run } = await createNames()
    expect(await run('delegate /svc/nope')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "> /svc/nope
      >   /#/io.test/nope: ~ no such name  (/svc => /#/io.test)
      ",
      }
    `)
  })
})
