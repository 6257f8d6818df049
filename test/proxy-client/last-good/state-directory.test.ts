import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stateDirectoryOf } from '../../../proxy-client/last-good/state-directory.ts'

const server = { ip: '127.0.0.1', port: 4140 }

it('a proxy keeps its state where systemd says, else where the user keeps state, under its first fixed port', () => {
  const given = { STATE_DIRECTORY: '/var/lib/nameplane:/other', XDG_STATE_HOME: '/state' }
  expect(stateDirectoryOf([server], given)).toBe('/var/lib/nameplane/proxy-127.0.0.1-4140')
  expect(stateDirectoryOf([server], { XDG_STATE_HOME: '/state' })).toBe('/state/nameplane/proxy-127.0.0.1-4140')
  const home = join(homedir(), '.local/state/nameplane/proxy-__1-4141')
  expect(
    stateDirectoryOf(
      [
        { ip: '::1', port: 0 },
        { ip: '::1', port: 4141 },
      ],
      {},
    ),
  ).toBe(home)
})

it('a proxy on ports that the system chooses keeps none', () => {
  expect(stateDirectoryOf([{ ip: '127.0.0.1', port: 0 }], { XDG_STATE_HOME: '/state' })).toBeUndefined()
})

it('a relative XDG_STATE_HOME does not count', () => {
  expect(stateDirectoryOf([server], { XDG_STATE_HOME: 'state' }, () => '/home/me')).toBe(
    '/home/me/.local/state/nameplane/proxy-127.0.0.1-4140',
  )
})

it('a proxy of a user whom the system does not know keeps none', () => {
  const home = (): string => {
    throw new Error('uv_os_homedir returned ENOENT')
  }
  expect(stateDirectoryOf([server], {}, home)).toBeUndefined()
})
