// What all commands share.
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { openSession } from '../../cli/session.ts'
import { Screen, standardIo } from './cli.fixture.ts'

describe('a session', () => {
  it('shows as many lines as there are, more than a call takes arguments too', () => {
    const screen = new Screen()
    const command = new Command().option('-o, --output <form>', '', 'table')
    const session = openSession({ ...standardIo(), stdout: screen.write }, command)
    session.show({}, () => Array.from({ length: 300_000 }, () => ''))
    expect(screen.text).toHaveLength(300_000)
  })
})
