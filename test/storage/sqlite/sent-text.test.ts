import { describe, expect, it } from 'vitest'
import { withoutSentText, withSentText } from '../../../storage/sqlite/sent-text.ts'
import type { Outcome } from '../../../storage/sqlite/writer.ts'
import { request } from '../../contract/store.contract.ts'

const meta = { author: 'a', verified: false, message: '', time: 1, parent: 0 }
const written = (repeated: boolean, text?: string): Outcome => ({
  kind: 'written',
  result: { written: { namespace: 'web', version: 1, ...(text !== undefined && { text }), meta }, repeated },
})

describe('an outcome on its way from the write worker', () => {
  it('leaves the text behind that was sent, and gets it back', () => {
    const travelling = withoutSentText(written(false, '/a=>/b'))
    expect(JSON.stringify(travelling)).not.toContain('/a=>/b')
    const operation = { kind: 'write', request: request('web', '/a=>/b') } as const
    expect(withSentText(travelling, operation)).toEqual(written(false, '/a=>/b'))
  })

  it('keeps what a repeated key made, which is another text', () => {
    const outcome = written(true, '/a=>/b')
    expect(withoutSentText(outcome)).toEqual(outcome)
    const operation = { kind: 'write', request: request('web', '/a=>/newer') } as const
    expect(withSentText(outcome, operation)).toEqual(outcome)
  })

  it('stays a deletion', () => {
    const operation = { kind: 'write', request: request('web', undefined) } as const
    expect(withSentText(withoutSentText(written(false)), operation)).toEqual(written(false))
  })
})
