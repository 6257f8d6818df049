// The small parts that read a request: JSON, entity tags, media types, who writes.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorOf, idempotencyOf } from '../../../api/http/caller.ts'
import { readJson } from '../../../api/http/json-reader.ts'
import { preferredType } from '../../../api/http/media-type.ts'
import { versionsFromText, versionText } from '../../../api/http/namerd/version-text.ts'
import { expectationOf, readOutcome } from '../../../api/http/precondition.ts'
import { systemClock } from '../../../watch/clock.ts'

describe('the JSON reader', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), value => {
        const text = JSON.stringify(value, undefined, 1)
        expect(readJson(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it('refuses what JSON.parse refuses', () => {
    const mutated = fc
      .tuple(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', '[', ':', 'x', '\\', '\n', '-'),
      )
      .map(([value, at, mark]) => {
        const text = JSON.stringify(value)
        const place = at % (text.length + 1)
        return text.slice(0, place) + mark + text.slice(place + 1)
      })
    const parses = (text: string): boolean => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    fc.assert(
      fc.property(mutated, text => {
        if (!parses(text)) expect(readJson(text).ok, text).toBe(false)
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  it('says line, column and what was expected, counting from 1', () => {
    expect(readJson('{\n  "a": 1,\n  "a": 2 }')).toMatchObject({
      error: { detail: { position: { offset: 14, line: 3, column: 3 }, expected: 'a key of its own' } },
    })
    expect(readJson('')).toMatchObject({ error: { detail: { position: { line: 1, column: 1 } } } })
    expect(readJson('{"__proto__": 1}')).toMatchObject({ ok: true })
  })
})

describe('entity tags', () => {
  it.each([
    ['"7"', { kind: 'version', versions: [7] }],
    ['"7-dtab"', { kind: 'version', versions: [7] }],
    ['"6" ,"7",', { kind: 'version', versions: [6, 7] }],
    ['W/"7"', { kind: 'version', versions: [] }],
    ['"seven"', { kind: 'version', versions: [] }],
    ['"07"', { kind: 'version', versions: [] }],
    [' * ', { kind: 'present' }],
  ])('If-Match: %s is understood', (ifMatch, value) => {
    expect(expectationOf({ ifMatch })).toEqual({ ok: true, value })
  })

  it.each(['7', '"7', '"7" "8"', 'w/"7"', '', ','])('If-Match: %s is refused', ifMatch => {
    expect(expectationOf({ ifMatch })).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })

  it('compare weakly for If-None-Match and strongly for If-Match', () => {
    expect(readOutcome({ ifNoneMatch: 'W/"7"' }, '"7"')).toEqual({ ok: true, value: 'not-modified' })
    expect(readOutcome({ ifMatch: 'W/"7"' }, '"7"')).toEqual({ ok: true, value: 'precondition-failed' })
    expect(readOutcome({ ifMatch: '"7"', ifNoneMatch: '"8"' }, '"7"')).toEqual({ ok: true, value: 'send' })
  })
})

describe('Accept', () => {
  it.each([
    [undefined, 'a/b'],
    ['*/*', 'a/b'],
    ['c/d', 'c/d'],
    ['a/b;q=0.1, c/*', 'c/d'],
    ['a/*;q=0, */*;q=0.5', 'c/d'],
    ['A/B', 'a/b'],
    ['x/y', undefined],
    ['*/*;q=0', undefined],
  ])('%s prefers %s', (accept, type) => {
    expect(preferredType(accept, ['a/b', 'c/d'])).toBe(type)
  })
})

describe('who writes', () => {
  it('is the header, as UTF-8, else the address of the peer', () => {
    const header = Buffer.from('Zoë').toString('latin1')
    expect(authorOf({ 'nameplane-author': header }, '::1')).toEqual({ ok: true, value: 'Zoë' })
    expect(authorOf({}, '::1')).toEqual({ ok: true, value: '::1' })
    for (const bad of ['', ' ', 'x'.repeat(257), 'a\u0007']) {
      expect(authorOf({ 'nameplane-author': bad }, '::1')).toMatchObject({ ok: false })
    }
  })

  it('has one digest per method, URL and body', async () => {
    const digest = async (method: string, url: string, body: string) => {
      const request = { method, url, body: Buffer.from(body) }
      const result = await idempotencyOf({ 'idempotency-key': 'k' }, request, systemClock)
      return result.ok ? result.value?.fingerprint : undefined
    }
    const digests = await Promise.all([
      digest('PUT', '/a', 'x'),
      digest('PATCH', '/a', 'x'),
      digest('PUT', '/a?m', 'x'),
      digest('PUT', '/a', 'y'),
    ])
    expect(new Set(digests).size).toBe(4)
    expect(await digest('PUT', '/a', 'x')).toBe(digests[0])
  })

  it('digests a large body over several turns, to the same as at once', async () => {
    const body = Buffer.alloc(9 * 1024 * 1024, 'x')
    let turns = 0
    const defer = (run: () => void) => {
      turns++
      return systemClock.defer(run)
    }
    const result = await idempotencyOf({ 'idempotency-key': 'k' }, { method: 'PUT', url: '/a', body }, { defer })
    expect(turns).toBe(2)
    const fingerprint = createHash('sha256').update('PUT /a\n').update(body).digest('hex')
    expect(result).toEqual({ ok: true, value: { key: 'k', fingerprint } })
  })
})

describe("namerd's versions", () => {
  it('are eight bytes, big-endian, in base64', () => {
    expect(versionText(1)).toBe('AAAAAAAAAAE=')
    fc.assert(
      fc.property(fc.maxSafeNat(), version => {
        expect(versionsFromText(versionText(version))).toEqual(version === 0 ? [] : [version])
      }),
      { seed: 3, numRuns: 100 },
    )
  })
})
