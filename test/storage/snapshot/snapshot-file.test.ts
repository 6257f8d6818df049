import { describe, expect, it } from 'vitest'
import { decodeHead, decodeListing, encodeSnapshot, type SavedHead } from '../../../storage/snapshot/snapshot-file.ts'

const meta = { author: 'ann', verified: false, message: 'why', time: 5, parent: 2, address: '10.0.0.1' }
const saved: SavedHead = { savedAt: 7, head: { namespace: 'default', version: 3, text: '/a=>/b # ü\n', meta } }
const whole = encodeSnapshot('here', saved)

describe('a file of the snapshot', () => {
  it('gives back what was written', () => {
    expect(decodeHead(whole, 'here')).toEqual({ ok: true, value: saved })
  })

  it.each([
    ['nothing', '', 'it is no snapshot'],
    ['the file of something else', '{"hello": 1}\n', 'it is no snapshot'],
    ['half of it', whole.slice(0, whole.length / 2), 'it is torn, or was changed'],
    ['all but its last byte', whole.slice(0, -1), 'it is torn, or was changed'],
    ['one changed byte', whole.replace('/a=>/b', '/a=>/c'), 'it is torn, or was changed'],
    ['a format to come', whole.replace('"format":1', '"format":2'), 'it has format 2, and this server reads 1'],
    ['a listing', encodeSnapshot('here', { savedAt: 7, namespaces: [] }), 'its content is not what its format says'],
    ['zeros', '\0'.repeat(500), 'it is no snapshot'],
    ['that of another store', encodeSnapshot('there', saved), 'it is of a store that is configured otherwise'],
  ])('takes %s for no head, and says why', (_, text, why) => {
    const decoded = decodeHead(text, 'here')
    expect(decoded.ok ? decoded.value : [decoded.error.code, decoded.error.message]).toEqual(['store-corrupt', why])
  })

  it('cut anywhere is never taken for a whole one', () => {
    for (let end = 0; end < whole.length; end++) expect(decodeHead(whole.slice(0, end), 'here').ok).toBe(false)
  })

  it('of a listing gives back its namespaces', () => {
    const summary = {
      namespace: 'a',
      version: 1,
      deleted: true,
      bytes: 0,
      author: '',
      verified: true,
      message: '',
      time: 9,
    }
    const listing = { savedAt: 7, namespaces: [summary] }
    expect(decodeListing(encodeSnapshot('here', listing), 'here')).toEqual({ ok: true, value: listing })
  })
})
