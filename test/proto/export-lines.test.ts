// The lines of an export: what is encoded comes back, in one piece or many.
import { describe, expect, it } from 'vitest'
import { decodeExportLine, encodeExportedVersion, exportedVersionPieces } from '../../proto/export-lines.ts'

const exported = {
  namespace: 'a',
  version: 7,
  author: 'ann "x"',
  verified: false,
  message: 'why \\ not',
  time: 1_700_000_000_000,
  parent: 3,
}

describe('a version of an export', () => {
  it.each([0, 1])(
    'is the same in pieces, none of them long, with a pair of surrogates on the cut (%i before it)',
    shift => {
      const text = `${'x'.repeat(shift)}${'/a => /b ; # "ü" \n'.repeat(10_000)}${'😀'.repeat(400_000)}`
      const pieces = [...exportedVersionPieces({ ...exported, text })]
      expect(pieces.length).toBeGreaterThan(4)
      expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(600_000)
      expect(pieces.join('') === encodeExportedVersion({ ...exported, text })).toBe(true)
      const decoded = decodeExportLine(pieces.join(''))
      expect(decoded.ok && decoded.value.kind === 'version' && decoded.value.version.text === text).toBe(true)
    },
  )

  it('is one piece when it is small, and as a deletion', () => {
    for (const version of [exported, { ...exported, text: '/a => /b' }])
      expect([...exportedVersionPieces(version)]).toEqual([encodeExportedVersion(version)])
  })
})
