import { describe, expect, it } from 'vitest'
import { type EndpointLines, endpointKey, parseEndpointFile } from '../../../interpreters/fs/endpoint-file.ts'
import { type Evidence, type Held, isWhole, type Seen } from '../../../interpreters/fs/publishing-rule.ts'
import { orThrow } from '../../../naming/result.ts'

const one = '10.0.0.1 80\n'
const two = '10.0.0.1 80\n10.0.0.2 80\n'
const written: Evidence = { renamed: false, wrote: true }
const renamed: Evidence = { renamed: true, wrote: false }
const created: Evidence = { renamed: true, wrote: true }
const polled: Evidence = { renamed: false, wrote: false }

const linesOf = (text: string): EndpointLines => orThrow(parseEndpointFile(text, 'web'))

const held = (text: string, realPath = '/web'): Held => ({
  kind: 'file',
  realPath,
  endpoints: new Set(linesOf(text).map(endpointKey)),
})

function seen(text: string, { realPath = '/web', ageMs = 0 } = {}): Seen {
  const parsed = parseEndpointFile(text, 'web')
  return { kind: 'file', realPath, text, ageMs, ...(parsed.ok && { lines: parsed.value }) }
}

const missing = { kind: 'missing' } as const
const directory = { kind: 'directory' } as const
const unknown: Held = { kind: 'unknown' }

describe('a reading is published at once', () => {
  it.each<[string, Seen, Held, Evidence]>([
    ['when a written file ends a line and takes nothing away', seen(two), held(one), written],
    ['when only a weight changes', seen('10.0.0.1 80 * 2\n'), held(one), written],
    ['when a polled file does so', seen(two), held(one), polled],
    ['when a new file ends a line', seen(one), missing, created],
    ['when a rename replaced the file', seen('10.0.0.9 80'), held(one), renamed],
    ['when a rename brought a malformed file', seen('oops'), held(one), renamed],
    ['when a link leads elsewhere', seen('', { realPath: '/v2/web' }), held(one, '/v1/web'), polled],
    ['when a file is met that was written long ago', seen('10.0.0.1 80', { ageMs: 50 }), unknown, polled],
    ['when nothing is there at first sight', missing, unknown, polled],
    ['when the path is a directory', directory, held(one), polled],
  ])('%s', (_when, now, before, evidence) => {
    expect(isWhole(now, before, evidence)).toBe(true)
  })
})

describe('a reading has to stay the same for a while', () => {
  it.each<[string, Seen, Held, Evidence]>([
    ['when a write takes an endpoint away', seen(one), held(two), written],
    ['when a write does not end a line', seen(`${two}10.0.0.3 8`), held(two), written],
    ['when a full file turns empty', seen(''), held(one), written],
    ['when a rename, or a creation, shows an empty file', seen(''), held(one), renamed],
    ['when a file was deleted and is written again', seen(one), held(two), created],
    ['when a poll finds an endpoint gone', seen(one), held(two), polled],
    ['when a write is malformed', seen('oops\n'), held(one), written],
    ['when a new file is empty', seen(''), missing, created],
    ['when a file is met that was written just now', seen('10.0.0.1 80', { ageMs: 49 }), unknown, polled],
    ['when a file goes', missing, held(one), renamed],
    ['when a directory goes', missing, directory, renamed],
  ])('%s', (_when, now, before, evidence) => {
    expect(isWhole(now, before, evidence)).toBe(false)
  })
})
