import { expect, test } from 'vitest'
import { parseNamespace } from '../../naming/namespace.ts'
import { success } from '../../naming/result.ts'

test.each(['default', 'a', '0', 'team-1.prod_EU', 'x'.repeat(253)])('%s is a namespace', text => {
  expect(parseNamespace(text)).toEqual(success(text))
})

test.each(['', '-a', '.a', '_a', 'a b', 'a/b', 'a%20b', 'ä', 'a\n', 'x'.repeat(254)])('%j is none', text => {
  const result = parseNamespace(text)
  expect(result.ok).toBe(false)
  if (!result.ok) expect(result.error.code).toBe('bad-namespace')
})
