// The list of all head records, as it comes in one answer.
import { expect, it } from 'vitest'
import { type HeadList, headListFrom, noHeads } from '../../../storage/consul/head-lists.ts'
import { Layout } from '../../../storage/consul/layout.ts'
import { headRecord } from '../../../storage/consul/records.ts'

const layout = new Layout('dtabs')
const meta = { author: 'ann', verified: false, message: '', time: 1, parent: 0 }
const value = Buffer.from(headRecord.encode({ version: 1, deleted: false, bytes: 3, meta })).toString('base64')

function answer(indexOf: (n: number) => number, count: number) {
  const body = Array.from({ length: count }, (_, n) => ({
    Key: layout.head(`web-${n}`),
    Value: value,
    Flags: 0,
    ModifyIndex: indexOf(n),
  }))
  return { body, version: '9', isFiltered: false, receivedAt: 0 }
}

async function listFrom(known: HeadList, indexOf: (n: number) => number, count: number) {
  let turns = 1
  const defer = (run: () => void) => {
    turns++
    run()
    return () => {}
  }
  return { list: await headListFrom(answer(indexOf, count), { layout, known, clock: { defer } }), turns }
}

it('takes two thousand records in one turn, and decodes again only what has changed', async () => {
  const first = await listFrom(noHeads, () => 5, 10_000)
  expect([first.turns, first.list.heads.size]).toEqual([6, 10_000])
  const { list, turns } = await listFrom(first.list, n => (n === 7 ? 6 : 5), 1_999)
  expect(turns).toBe(1)
  const changed = [...list.heads].filter(([name, head]) => head !== first.list.heads.get(name))
  expect(changed.map(([name, { index, record }]) => [name, index, record?.version])).toEqual([['web-7', 6, 1]])
})
