// Paths in one array: nothing is lost and nothing runs together.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinPaths, somePath } from '../../interpreters/path-list.ts'
import type { Path } from '../../naming/path.ts'

const paths = fc.array(fc.array(fc.constantFrom('a', 'b', 'cc'), { maxLength: 4 }), { minLength: 1, maxLength: 5 })

function pathsIn(list: Path | undefined): readonly Path[] {
  const found: Path[] = []
  if (list !== undefined) somePath(list, path => found.push([...path]) < 0)
  return found
}

test('a list gives back the paths it was made of, the empty path too', () => {
  fc.assert(
    fc.property(paths, fc.nat(5), (all, start) => {
      expect(pathsIn(joinPaths(all, start))).toEqual(all.slice(start))
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('one path alone is shared, not copied', () => {
  const path = ['#', 'fs', 'web']
  expect(joinPaths([['svc', 'web'], path], 1)).toBe(path)
})

test('the first path that it holds for ends the search', () => {
  const list = joinPaths([['a'], ['b'], ['c']], 0) ?? []
  const asked: Path[] = []
  expect(somePath(list, path => asked.push(path) === 2)).toBe(true)
  expect(asked).toEqual([['a'], ['b']])
})
