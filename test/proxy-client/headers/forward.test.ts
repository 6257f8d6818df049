import { describe, expect, it } from 'vitest'
import { forwardRequestHeaders, forwardResponseHeaders } from '../../../proxy-client/headers/forward.ts'

const via = ['Via', '1.1 nameplane']

describe('headers that are sent on', () => {
  it('keep their order, case and repeats', () => {
    const headers = ['X-B', '1', 'x-a', '2', 'X-B', '3']
    expect(forwardRequestHeaders(headers, '1.1', [])).toEqual([...headers, ...via])
    expect(forwardResponseHeaders(headers)).toEqual([...headers, ...via])
  })

  it('leave hop-by-hop fields behind', () => {
    const hopByHop = [
      ...['Connection', 'keep-alive', 'Keep-Alive', 'timeout=5', 'Proxy-Connection', 'keep-alive', 'TE', 'trailers'],
      ...['Trailer', 'x', 'Transfer-Encoding', 'chunked', 'Upgrade', 'h2c', 'Expect', '100-continue'],
      ...['Proxy-Authorization', 'Basic x', 'Proxy-Authenticate', 'Basic'],
    ]
    expect(forwardRequestHeaders([...hopByHop, 'Host', 'web'], '1.1', [])).toEqual(['Host', 'web', ...via])
    expect(forwardResponseHeaders(hopByHop)).toEqual(via)
  })

  it('leave behind what Connection names', () => {
    const headers = [
      'Connection',
      'close, X-Secret ,',
      'X-Secret',
      '1',
      'X-Open',
      '2',
      'connection',
      'x-also',
      'X-Also',
      '3',
    ]
    expect(forwardRequestHeaders(headers, '1.1', [])).toEqual(['X-Open', '2', ...via])
  })

  it('do not lose Host or Content-Length to a Connection that names them', () => {
    const headers = ['Connection', 'host, content-length', 'Host', 'web', 'Content-Length', '3']
    expect(forwardRequestHeaders(headers, '1.1', [])).toEqual(['Host', 'web', 'Content-Length', '3', ...via])
  })

  it('append this hop to Via with the version in which the request came', () => {
    expect(forwardRequestHeaders(['Via', '1.1 a', 'via', '1.0 b'], '1.0', [])).toEqual([
      'Via',
      '1.1 a, 1.0 b, 1.0 nameplane',
    ])
  })

  it('replace what a client claims about destinations by what this hop found', () => {
    const claimed = [
      'l5d-dst-service',
      '/x',
      'L5d-Dst-Client',
      '/y',
      'l5d-dtab',
      '/a=>/b',
      'l5d-ctx-dtab',
      '/c=>/d',
      'l5d-reqid',
      '1',
    ]
    expect(forwardRequestHeaders(claimed, '1.1', ['l5d-reqid', '1'])).toEqual([...via, 'l5d-reqid', '1'])
  })

  it('pass other context headers on', () => {
    const headers = ['l5d-ctx-trace', 'AA==', 'l5d-ctx-deadline', '1 2', 'l5d-sample', '1']
    expect(forwardRequestHeaders(headers, '1.1', [])).toEqual([...headers, ...via])
  })
})
