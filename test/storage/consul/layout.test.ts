// Keys: two installations never meet, and names come back as they went in.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hourIn, keyName, Layout, namespaceIn, versionIn } from '../../../storage/consul/layout.ts'

const layout = new Layout('namerd/dtabs')

describe('the keys of an installation', () => {
  it('have the texts where namerd has them, and the rest beside them', () => {
    expect(layout.text('default')).toBe('namerd/dtabs/default')
    expect(layout.head('default')).toBe('nameplane/namerd:dtabs/heads/default')
    expect(layout.version('default', 7)).toBe('nameplane/namerd:dtabs/versions/default/0000000000000007')
    expect(layout.claim('lease', 'a/b')).toBe('nameplane/namerd:dtabs/leases/a%2Fb')
  })

  it('never lie in those of another', () => {
    const label = fc.stringMatching(/^[a-z:%.-]{1,6}$/)
    const prefix = fc.array(label, { minLength: 1, maxLength: 4 }).map(labels => labels.join('/'))
    const ours = (text: string): string => new Layout(text).heads.replace(/heads\/$/, '')
    fc.assert(
      fc.property(prefix, prefix, (one, other) => {
        fc.pre(one !== other)
        return !ours(one).startsWith(ours(other))
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  it('keep the order of version numbers', () => {
    const keys = [1, 9, 10, 11, 123_456].map(version => layout.version('web', version))
    expect([...keys].sort()).toEqual(keys)
    const prefix = layout.versions('web')
    expect(keys.map(key => versionIn(prefix, key))).toEqual([1, 9, 10, 11, 123_456])
    expect([`${prefix}x`, `${prefix}1/2`, 'elsewhere/1'].map(key => versionIn(prefix, key))).toEqual(
      Array.from({ length: 3 }),
    )
  })

  it('tell namespaces from what only lies in their folder', () => {
    const names = ['namerd/dtabs/a.b_c-1', 'namerd/dtabs/', 'namerd/dtabs/a/', 'namerd/dtabs/a/b', 'namerd/dtabs/_a']
    expect(names.map(key => namespaceIn(layout.texts, key))).toEqual(['a.b_c-1', ...Array.from({ length: 4 })])
  })

  it('have an hour in which a key was first used, and names for keys of any content', () => {
    const folder = layout.hour(7_200_001)
    expect([folder, hourIn(layout, folder)]).toEqual(['nameplane/namerd:dtabs/hours/2/', 2])
    expect(hourIn(layout, `${layout.hours}x/`)).toBeUndefined()
    expect(keyName('web', `${'/'.repeat(300)} ñ`)).toMatch(/^web\/[A-Za-z0-9_-]{43}$/)
  })
})
