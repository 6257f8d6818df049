import { describe, expect, it } from 'vitest'
import { Layout, nameOfAnswer } from '../../../storage/etcd/layout.ts'

const layout = new Layout('/namerd/dtabs')
const hourMs = 3_600_000

describe('the keys of etcd', () => {
  it('have texts where namerd had them, and ours where no namespace is', () => {
    expect(layout.text('web')).toBe('/namerd/dtabs/web')
    expect(layout.head('web')).toBe('/namerd/dtabs/.heads/web')
    expect(layout.change('web', 7)).toBe('/namerd/dtabs/.changes/web/0000000000000007')
    expect(layout.archived('web', 7)).toBe('/namerd/dtabs/.archive/web/0000000000000007')
    expect(layout.claim('lease', 'a/b')).toBe('/namerd/dtabs/.claims/lease/a%2Fb')
  })

  it('hold heads and texts in one range, and nothing else', () => {
    const { key, end, textsFrom } = layout.followed
    const isIn = (name: string): boolean => name >= key && name < end
    for (const namespace of ['0', '9z', 'A', 'Zz', 'a', 'zzz._-9']) {
      expect(isIn(layout.text(namespace))).toBe(true)
      expect(isIn(layout.head(namespace))).toBe(true)
      expect(layout.text(namespace) >= textsFrom).toBe(true)
      expect(layout.head(namespace) < textsFrom).toBe(true)
      const others = [layout.change(namespace, 1), layout.archived(namespace, 1), layout.claim('presence', namespace)]
      const answer = nameOfAnswer(namespace, 'key')
      for (const other of [...others, layout.answer(answer), layout.answerInHour(0, answer)])
        expect(isIn(other)).toBe(false)
    }
  })

  it('tell heads from texts, and leave alone what can be neither', () => {
    expect(layout.identify('/namerd/dtabs/web')).toEqual({ kind: 'text', namespace: 'web' })
    expect(layout.identify('/namerd/dtabs/.heads/web')).toEqual({ kind: 'head', namespace: 'web' })
    for (const key of [
      '/namerd/dtabs/',
      '/namerd/dtabs/a/b',
      '/namerd/dtabs/_a',
      '/namerd/dtabs/.heads/',
      '/other/dtabs/web',
    ])
      expect(layout.identify(key)).toBeUndefined()
  })

  it('find answers of whole hours before a time', () => {
    const name = nameOfAnswer('web', 'a key / of any "kind"')
    expect(name).toMatch(/^web\/[\w-]{43}$/)
    const place = layout.answerInHour(5 * hourMs + 1, name)
    expect(layout.nameIn(place)).toBe(name)
    const { key, end } = layout.answersBefore(6 * hourMs)
    expect(place >= key && place < end).toBe(true)
    expect(place < layout.answersBefore(6 * hourMs - 1).end).toBe(false)
  })
})
