import { describe, expect, it } from 'vitest'
import { createLocalDtabReader } from '../../../proxy-client/context/local-dtab.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import type { Pairs } from '../request-head.fixture.ts'

const read = (...fields: Pairs) => createLocalDtabReader()(fieldsOf(fields))

describe('the dtab of one request', () => {
  it('is empty without headers, and when they hold nothing', () => {
    expect(read(['Host', 'web'])).toEqual({ kind: 'dtab', text: '' })
    expect(read(['l5d-dtab', ''])).toEqual({ kind: 'dtab', text: '' })
  })

  it('puts what the client says after what the chain carries, so that it wins', () => {
    expect(read(['L5d-Dtab', '/a=>/mine'], ['l5d-ctx-dtab', '/a=>/ours;'], ['l5d-ctx-dtab', '/b=>/c'])).toEqual({
      kind: 'dtab',
      text: '/a => /ours;/b => /c;/a => /mine',
    })
  })

  it('is the same text for the same entries however they are written', () => {
    expect(read(['l5d-dtab', '/a  =>  /b ;'])).toEqual(read(['l5d-dtab', '/a=>/b']))
  })

  it('keeps weights exactly', () => {
    expect(read(['l5d-dtab', '/a => 0.001*/b & 0.999*/c'])).toEqual({
      kind: 'dtab',
      text: '/a => 0.001*/b & 0.999*/c',
    })
  })

  it.each(['l5d-dtab', 'l5d-ctx-dtab'])('names %s and the place when it does not parse', header => {
    expect(read([header, '/a=>b'])).toMatchObject({
      kind: 'malformed',
      reason: expect.stringContaining(`${header} is not a dtab at column 5`),
    })
  })

  it('gives the same answer again without parsing again', () => {
    const reader = createLocalDtabReader()
    const fields: Pairs = [['l5d-dtab', '/a=>/b']]
    expect(reader(fieldsOf(fields))).toBe(reader(fieldsOf(fields)))
  })

  it('tells what the chain carries from what the client says', () => {
    const reader = createLocalDtabReader()
    const carried = reader(fieldsOf([['l5d-ctx-dtab', '/a=>b']]))
    const said = reader(fieldsOf([['l5d-dtab', '/a=>b']]))
    expect([carried, said]).toMatchObject([
      { reason: expect.stringContaining('l5d-ctx-dtab') },
      { reason: expect.stringContaining('header l5d-dtab') },
    ])
  })

  it('does not grow without bound', () => {
    const reader = createLocalDtabReader()
    const at = (i: number) => reader(fieldsOf([['l5d-dtab', `/a=>/${i}`]]))
    const first = at(0)
    for (let i = 1; i < 2500; i++) at(i)
    expect(at(0)).not.toBe(first)
  })
})
