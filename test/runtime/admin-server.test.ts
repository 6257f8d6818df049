import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type AdminServer, jsonAnswer, startAdmin, textAnswer } from '../../runtime/admin-server.ts'

const errors: unknown[] = []
let admin: AdminServer | undefined

async function start(port = 0): Promise<AdminServer> {
  admin = await startAdmin({
    host: '127.0.0.1',
    port,
    routes: {
      '/live': () => textAnswer('live\n'),
      '/json': url => jsonAnswer({ query: url.searchParams.get('a') }),
      '/broken': () => {
        throw new Error('boom')
      },
    },
    onError: error => errors.push(error),
  })
  return admin
}

afterEach(async () => {
  await admin?.close()
  admin = undefined
})

describe('the admin server', () => {
  it('answers its routes', async () => {
    const { port } = await start()
    expect(await (await fetch(`http://127.0.0.1:${port}/live`)).text()).toBe('live\n')
    expect(await (await fetch(`http://127.0.0.1:${port}/json?a=b`)).json()).toEqual({ query: 'b' })
  })

  it('lists its routes at / and for an unknown page', async () => {
    const { port } = await start()
    const index = await fetch(`http://127.0.0.1:${port}/`)
    const missing = await fetch(`http://127.0.0.1:${port}/nothing`)
    expect([index.status, missing.status]).toEqual([200, 404])
    expect(await missing.text()).toContain(await index.text())
  })

  it('refuses other methods', async () => {
    const { port } = await start()
    const { status, headers } = await fetch(`http://127.0.0.1:${port}/live`, { method: 'POST' })
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('holds answers for so many clients at most', async () => {
    const { port } = await start()
    const crowd = Array.from({ length: 256 }, () => connect(port, '127.0.0.1'))
    await Promise.all(crowd.map(socket => once(socket, 'connect')))
    const late = connect(port, '127.0.0.1')
    await once(late, 'close')
    for (const socket of crowd) socket.destroy()
  })

  it('keeps the cause of a broken page to the log', async () => {
    const { port } = await start()
    const answer = await fetch(`http://127.0.0.1:${port}/broken`)
    expect([answer.status, await answer.text()]).toEqual([
      500,
      'Something unexpected happened; the log has the cause.\n',
    ])
    expect(errors.map(String)).toContain('Error: boom')
  })

  it('names the port that is in use', async () => {
    const holder = createServer()
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo // a TCP server's
    await expect(start(port)).rejects.toThrow(
      `admin: cannot listen on 127.0.0.1:${port}: the port is in use by another process`,
    )
    await new Promise(resolve => holder.close(resolve))
  })
})
