// Which texts every store keeps, and that it keeps them to the byte.
import { expect } from 'vitest'
import { codeOf, request, type StoreCase } from './store.contract.ts'

const oddTexts: Readonly<Record<string, string>> = {
  'line feeds, at the end too': '/a=>/b;\n/c=>/d;\n\n',
  'carriage returns': '/a=>/b;\r\n/c=>/d\r',
  'tabs and trailing blanks': '\t/a  =>\t/b \t ',
  'comments and nothing else': '# one\n#two',
  'a byte order mark': '\uFEFF/a=>/b',
  'a zero character in the middle': '/a=>/b # \u0000 \n;/c=>/d',
  'quotes, backslashes and percent signs': `/a=>/b # '"\\ %s %00 $1 ?`,
  'letters beyond the first plane': '/a=>/b # 😀 𝕏 漢字 ñ',
  'combining marks as they came': '/a=>/b # e\u0301 \u00e9',
  'a text of nearly 180 kilobytes': `/a=>/b${' /x'.repeat(60_000)}`,
}

const roundTrips = Object.entries(oddTexts).map(
  ([what, text]): StoreCase => ({
    title: `keeps ${what}`,
    run: async ({ store }, ns) => {
      const { written } = await store.write(request(ns, text))
      expect(written.text === text).toBe(true)
      expect((await store.head(ns))?.text === text).toBe(true)
      expect((await store.history(ns, { limit: 1 }))[0]?.bytes).toBe(Buffer.byteLength(text))
    },
  }),
)

export const textCases: readonly StoreCase[] = [
  ...roundTrips,
  {
    title: 'keeps odd authors and messages',
    run: async ({ store }, ns) => {
      const odd = { author: "o'neil \u0000 😀", message: 'two\nlines "quoted" --; DROP' }
      await store.write(request(ns, '/a=>/b', odd))
      expect((await store.head(ns))?.meta).toMatchObject(odd)
    },
  },
  {
    title: 'refuses half a surrogate pair, which UTF-8 cannot say',
    run: async ({ store }, ns) => {
      expect(await codeOf(store.write(request(ns, '/a=>/b # \uD83D')))).toBe('bad-dtab')
      expect(await store.head(ns)).toBeUndefined()
    },
  },
  {
    title: 'takes a text one byte below its limit and one at it',
    run: async ({ store }, ns) => {
      const full = '#'.repeat(store.maxDtabBytes)
      await store.write(request(ns, full.slice(1)))
      await store.write(request(ns, full))
      expect((await store.head(ns))?.text === full).toBe(true)
    },
  },
  {
    title: 'refuses a text one byte above its limit, with both numbers, and changes nothing',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const used = store.maxDtabBytes + 1
      await expect(store.write(request(ns, '#'.repeat(used)))).rejects.toMatchObject({
        code: 'dtab-too-large',
        detail: { used, limit: store.maxDtabBytes },
      })
      expect(await store.head(ns)).toMatchObject({ version: 1, text: '/a=>/b' })
    },
  },
  {
    title: 'counts bytes of UTF-8, not characters',
    run: async ({ store }, ns) => {
      const text = '漢'.repeat(Math.floor(store.maxDtabBytes / 3) + 1)
      expect(await codeOf(store.write(request(ns, text)))).toBe('dtab-too-large')
    },
  },
]
