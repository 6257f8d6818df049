import { beforeEach, describe, expect, test } from 'vitest'
import { type WordEntry, WordMail } from './entries.fixture.ts'

describe('a mailbox', () => {
  let mail: WordMail
  let web: WordEntry
  let api: WordEntry

  beforeEach(() => {
    mail = new WordMail()
    web = mail.entry('web')
    api = mail.entry('api')
  })

  test('holds each resource once, with its newest state, in the order in which news came', () => {
    web.change('one')
    api.change('one')
    web.change('two')
    web.change('three')
    expect(mail.mailbox.size).toBe(2)
    expect(mail.conflated).toBe(2)
    expect(mail.send()).toEqual(['web=three', 'api=one'])
    expect(mail.mailbox.size).toBe(0)
  })

  test('gives removals first, also when the news before them waited in line', () => {
    web.change('one')
    api.change('one')
    mail.send()
    web.change('two')
    api.change('two')
    api.change('gone')
    expect(mail.send()).toEqual(['api=gone', 'web=two'])
  })

  test('says once that there is mail, until it has been emptied', () => {
    web.change('one')
    api.change('one')
    expect(mail.calls).toBe(1)
    mail.send()
    web.change('two')
    expect(mail.calls).toBe(2)
  })

  test('knows since when the oldest of its news is there', () => {
    expect(mail.mailbox.oldestAt).toBeUndefined()
    web.change('one')
    const since = mail.clock.monotonic()
    mail.clock.pass(7)
    api.change('one')
    expect(mail.mailbox.oldestAt).toBe(since)
    mail.send()
    expect(mail.mailbox.oldestAt).toBeUndefined()
  })

  test('forgets an entry that closes, wherever it waits', () => {
    const third = mail.entry('third')
    for (const entry of [web, api, third]) entry.change('one')
    api.close()
    expect(mail.send()).toEqual(['web=one', 'third=one'])
    mail.load = 1
    third.change('two')
    web.change('gone')
    web.close()
    third.close()
    expect(mail.mailbox.size).toBe(0)
    expect(mail.clock.waiting).toBe(0)
    expect(mail.send()).toEqual([])
  })

  test('gives up all that can be sent, and takes news again', () => {
    web.change('one')
    api.change('one')
    mail.mailbox.clear()
    expect(mail.mailbox.size).toBe(0)
    web.change('two')
    expect(mail.send()).toEqual(['web=two'])
  })
})
