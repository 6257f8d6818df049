// /api/1/bind, addr, resolve, delegate and bound-names beside what was measured on namerd 1.7.5.
import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture, turns } from '../http-api.fixture.ts'

let fixture: Fixture
afterEach(() => fixture.close())

const rules = '/svc => /#/io.test ; /loop => /loop ; /split => 0.3 * /#/io.test/web & 0.7 * /#/io.test/api'
const web = '{"type":"bound","addrs":[{"ip":"10.0.0.1","port":80,"meta":{}}],"meta":{}}'

async function open(): Promise<Fixture> {
  fixture = await createFixture({ namespaces: { default: rules } })
  fixture.namer.set('web', '10.0.0.1:80')
  fixture.namer.set('api', '10.0.0.2:80')
  return fixture
}

async function ask(url: string, method: 'GET' | 'POST' | 'DELETE' = 'GET') {
  const answer = await fixture.api.inject({ method, url: `/api/1/${url}` })
  return {
    status: answer.statusCode,
    body: answer.body,
    type: answer.headers['content-type'],
    connection: answer.headers.connection,
  }
}

describe('/api/1/bind', () => {
  it('gives compact JSON, a newline, and no Content-Type, for any method', async () => {
    await open()
    const body = `{"type":"leaf","bound":{"addr":${web},"id":"/#/io.test/web","path":"/rest"}}\n`
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      expect(await ask('bind/default?path=/svc/web/rest', method)).toMatchObject({ status: 200, body, type: undefined })
    }
  })

  it('says the weight of a branch in the metadata of its addresses', async () => {
    await open()
    const leaf = (id: string, ip: string, weight: number): string =>
      `{"weight":${weight},"tree":{"type":"leaf","bound":{"addr":{"type":"bound","addrs":[{"ip":"${ip}","port":80,"meta":{}}],` +
      `"meta":{"namer_nametree_weight":${weight}}},"id":"/#/io.test/${id}","path":"/"}}}`
    const body = `{"type":"union","union":[${leaf('web', '10.0.0.1', 0.3)},${leaf('api', '10.0.0.2', 0.7)}]}\n`
    expect((await ask('bind/default?path=/split')).body).toBe(body)
  })

  it('takes an unknown or impossible namespace as an empty dtab', async () => {
    await open()
    for (const ns of ['unknown', '', '%20', 'a/b']) {
      expect(await ask(`bind/${ns}?path=/svc/web`)).toMatchObject({ status: 200, body: '{"type":"neg"}\n' })
    }
  })

  it('appends a local dtab, whose ~ does not hide', async () => {
    await open()
    expect((await ask('bind/default?path=/svc/web&dtab=/svc=>!')).body).toBe('{"type":"fail"}\n')
    expect((await ask('bind/default?path=/svc/web&dtab=/svc=>$')).body).toBe('{"type":"empty"}\n')
    expect((await ask('bind/default?path=/svc/web&dtab=/svc=>~')).body).toContain('"type":"leaf"')
    expect(await ask('bind/default?path=/svc/web&dtab=/svc=')).toMatchObject({ status: 500, body: '' })
  })

  it('refuses bad paths with a text, and the rest with an empty 500 or 404', async () => {
    await open()
    expect(await ask('bind/default?path=web')).toMatchObject({
      status: 400,
      body: "Invalid path: web / '/' expected but 'w' found at '[w]eb'",
    })
    expect(await ask('bind/default')).toMatchObject({ status: 500, body: '', connection: 'close' })
    expect(await ask('bind/default?path=/loop')).toMatchObject({ status: 500, body: '' })
    expect(await ask('bind/default?path=/$/no.such')).toMatchObject({ status: 500, body: '' })
    expect(await ask('bind?path=/svc/web')).toMatchObject({ status: 404, body: '' })
    expect(await ask('bindx/default?path=/svc/web')).toMatchObject({ status: 404, body: '' })
  })

  it('waits while an address is pending', async () => {
    await open()
    const late = fixture.namer.set('late')
    const answer = ask('bind/default?path=/svc/late')
    await turns()
    late.set({ kind: 'bound', endpoints: [] })
    expect((await answer).body).toContain('"addr":{"type":"bound","addrs":[],"meta":{}}')
  })

  it('watches the tree, not the addresses, and sends equal results once', async () => {
    await open()
    const stream = fixture.api.inject({ url: '/api/1/bind/default?path=/svc/web&watch=true' })
    const put = (payload: string) =>
      fixture.api.inject({
        method: 'PUT',
        url: '/api/1/dtabs/default',
        headers: { 'content-type': 'text/plain' },
        payload,
      })
    await turns()
    fixture.namer.set('web', '10.0.0.9:99')
    await turns()
    await put(`${rules} # the same`)
    await turns()
    await put('/svc => /nothing')
    await turns()
    fixture.shutdown.abort()
    const leaf = `{"type":"leaf","bound":{"addr":${web},"id":"/#/io.test/web","path":"/"}}`
    expect((await stream).body).toBe(`${leaf}\n{"type":"neg"}\n`)
  })

  it('ends a watch with the message when the name cannot be evaluated any more', async () => {
    await open()
    const stream = fixture.api.inject({ url: '/api/1/bind/default?path=/loop&watch=true' })
    const answer = await stream
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toMatch(/^Max recursion level: 100 reached in Namer lookup.*\n$/)
    const unknown = await fixture.api.inject({ url: '/api/1/bind/default?path=/$/com.nope/x&watch=true' })
    expect(unknown).toMatchObject({ statusCode: 200, body: 'com.nope\n' })
  })
})

describe('/api/1/addr and /api/1/resolve', () => {
  it('asks the namer of an id, whatever the namespace', async () => {
    await open()
    expect(await ask('addr/x?path=/%23/io.test/web/more')).toMatchObject({
      status: 200,
      body: `${web}\n`,
      type: undefined,
    })
    expect((await ask('addr/x?path=/%25/io.l5d.port/80/%23/io.test/web')).body).toBe(`${web}\n`)
    expect((await ask('addr/x?path=/%23/io.test/none')).body).toBe('{"type":"neg"}\n')
    expect((await ask('addr/x?path=/$/nil')).body).toBe('{"type":"bound","addrs":[],"meta":{}}\n')
    expect(await ask('addr/x?path=/$/fail')).toMatchObject({ status: 500, body: '' })
    expect(await ask('addr/x?path=/$/nope')).toMatchObject({ status: 500, body: '' })
    expect((await ask('addr?path=/$/nil')).status).toBe(404)
  })

  it('shows a failed address as an answer', async () => {
    await open()
    fixture.namer.set('bad').fail(new Error('malformed address: x'))
    expect((await ask('addr/x?path=/%23/io.test/bad')).body).toBe('{"type":"failed","cause":"malformed address: x"}\n')
  })

  it('resolves to one branch by weight, as JSON; anything but a leaf is neg', async () => {
    await open()
    expect(await ask('resolve/default?path=/split')).toMatchObject({ body: `${web}\n`, type: 'application/json' })
    for (const dst of ['~', '!', '$']) {
      expect((await ask(`resolve/default?path=/x&dtab=/x=>${dst}`)).body).toBe('{"type":"neg"}\n')
    }
  })

  it('sends a chunk for each change of addresses', async () => {
    await open()
    const streams = ['addr/default?path=/%23/io.test/web', 'resolve/default?path=/svc/web'].map(url =>
      fixture.api.inject({ url: `/api/1/${url}&watch=true` }),
    )
    await turns()
    fixture.namer.set('web', '10.0.0.9:99')
    await turns()
    fixture.shutdown.abort()
    const moved = '{"type":"bound","addrs":[{"ip":"10.0.0.9","port":99,"meta":{}}],"meta":{}}'
    for (const { body } of await Promise.all(streams)) expect(body).toBe(`${web}\n${moved}\n`)
  })
})

describe('/api/1/delegate and /api/1/bound-names', () => {
  it('explains with the keys in order and no newline', async () => {
    await open()
    expect(await ask('delegate/default?path=/svc/web')).toMatchObject({
      status: 200,
      type: 'application/json',
      body:
        '{"type":"delegate","path":"/svc/web","delegate":{"type":"leaf","path":"/#/io.test/web",' +
        `"dentry":{"prefix":"/svc","dst":"/#/io.test"},"bound":{"addr":${web},"id":"/#/io.test/web","path":"/"}}}`,
    })
  })

  it('shows ~ and ! where a tree says so', async () => {
    await open()
    const { body } = await ask(`delegate/default?path=/x&dtab=${encodeURIComponent('/x => ~ | !')}`)
    const dentry = '"dentry":{"prefix":"/x","dst":"~ | !"}'
    expect(body).toContain(`{"type":"neg","path":"~",${dentry}}`)
    expect(body).toContain(`{"type":"fail","path":"!",${dentry}}`)
  })

  it('explains a dtab alone, from the query or from a body', async () => {
    await open()
    const query = 'path=/a&dtab=/a=>/$/nil'
    const plain = await ask(`delegate?${query}`)
    expect(plain.body).toContain('"type":"empty"')
    expect((await ask(`delegatexyz?${query}`)).body).toBe(plain.body)
    const post = (payload: string, type = 'application/json') =>
      fixture.api.inject({ method: 'POST', url: '/api/1/delegate?path=/z', headers: { 'content-type': type }, payload })
    expect((await post('{"dtab":"/a=>/$/nil","path":"/a"}')).body).toBe(plain.body)
    const within = await post('{"dtab":"","path":"/svc/web","namespace":"default"}')
    expect(within.body).toContain('"id":"/#/io.test/web"')
    expect((await post('{"dtab":"","path":"/a"}', 'text/plain')).statusCode).toBe(415)
    expect((await post('{"path":null}')).statusCode).toBe(400)
    expect((await ask(`delegate?${query}`, 'DELETE')).status).toBe(405)
    expect((await ask('delegate')).status).toBe(500)
  })

  it('gives up on an explanation after two seconds', async () => {
    await open()
    const answer = ask('delegate/default?path=/svc/wait')
    await turns()
    fixture.clock.advance(2_000)
    expect(await answer).toMatchObject({ status: 503, body: 'Request timed out.' })
  })

  it('lists the names of listing namers, and one empty name when there is none', async () => {
    fixture = await createFixture()
    expect(await ask('bound-names')).toMatchObject({ status: 200, body: '[""]\n', type: 'application/json' })
    fixture.namer.set('web')
    expect((await ask('bound-names')).body).toBe('["/#/io.test/web"]\n')
    expect((await ask('bound-names', 'POST')).status).toBe(404)
    expect((await ask('bound-names/')).status).toBe(404)
  })
})
