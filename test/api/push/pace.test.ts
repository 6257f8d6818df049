import { beforeEach, describe, expect, test } from 'vitest'
import { WordMail } from './entries.fixture.ts'

describe('the pace of a stream', () => {
  let mail: WordMail

  beforeEach(() => {
    mail = new WordMail()
  })

  test('spaces nothing while there is little to do', () => {
    const web = mail.entry('web')
    for (let change = 0; change < 50; change++) {
      web.change(`${change}`)
      expect(mail.send()).toEqual([`web=${change}`])
      mail.clock.advance(1)
    }
  })

  test('sends the first change of a quiet resource at once under any load', () => {
    mail.load = 1
    const web = mail.entry('web')
    const tree = mail.entry('tree', 'tree')
    web.change('one')
    tree.change('one')
    expect(mail.send()).toEqual(['web=one', 'tree=one'])
    mail.clock.advance(250)
    web.change('two')
    tree.change('two')
    expect(mail.send()).toEqual(['web=two', 'tree=two'])
  })

  test('lets the next ones wait up to the caps under full load, the newest only', () => {
    mail.load = 1
    const web = mail.entry('web')
    const tree = mail.entry('tree', 'tree')
    for (const entry of [web, tree]) entry.change('one')
    mail.send()
    const sent: string[] = []
    for (let ms = 1; ms <= 500; ms++) {
      mail.clock.advance(1)
      for (const entry of [web, tree]) entry.change(`${ms}`)
      sent.push(...mail.send())
    }
    expect(sent.filter(line => line.startsWith('web'))).toHaveLength(5)
    expect(sent.filter(line => line.startsWith('tree'))).toHaveLength(2)
    expect(sent[0]).toBe('web=100')
  })

  test('grows the spacing with the load', () => {
    const rested = [0.4, 0.5, 0.65, 0.9, 1].map(load => {
      const each = new WordMail()
      each.load = load
      const web = each.entry('web')
      web.change('one')
      each.send()
      web.change('two')
      const since = each.clock.monotonic()
      while (each.mailbox.readyCount === 0) each.clock.advance(10)
      return each.clock.monotonic() - since
    })
    expect(rested).toEqual([0, 20, 50, 100, 100])
  })

  test('holds no removal back, also not one that ends a rest', () => {
    mail.load = 1
    const web = mail.entry('web')
    web.change('one')
    mail.send()
    web.change('two')
    expect(mail.send()).toEqual([])
    web.change('gone')
    expect(mail.send()).toEqual(['web=gone'])
    expect(mail.clock.waiting).toBe(0)
  })

  test('spaces a tree that flips all the time, on an idle server too, but never its first change', () => {
    const tree = mail.entry('tree', 'tree')
    let sent = 0
    let first: number | undefined
    for (let ms = 0; ms < 10_000; ms += 10) {
      tree.change(ms % 20 === 0 ? 'here' : 'there')
      sent += mail.send().length
      if (sent <= ms / 10) first ??= ms
      mail.clock.advance(10)
    }
    expect(first).toBeGreaterThanOrEqual(200)
    expect(sent).toBeLessThan(130)
    mail.clock.advance(2_500)
    mail.send()
    tree.change('quiet again')
    expect(mail.send()).toEqual(['tree=quiet again'])
  })

  test('does not space endpoints that flip on an idle server', () => {
    const web = mail.entry('web')
    let sent = 0
    for (let change = 0; change < 200; change++) {
      web.change(`${change}`)
      sent += mail.send().length
      mail.clock.advance(5)
    }
    expect(sent).toBe(200)
  })
})
