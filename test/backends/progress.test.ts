import { expect, it } from 'vitest'
import { showStep } from '../../backends/progress.ts'

function recordedScreen(isTTY: boolean): { isTTY: boolean; written: string[]; write(text: string): void } {
  const written: string[] = []
  return { isTTY, written, write: text => void written.push(text) }
}

it('prints plain lines where there is no terminal', async () => {
  const screen = recordedScreen(false)
  await showStep(screen, 'etcd', 'building', async () => 'ready')
  expect(screen.written).toEqual(['etcd: building\n', 'etcd: ready (0 s)\n'])
})

it('writes over its line on a terminal, and ends it', async () => {
  const screen = recordedScreen(true)
  await showStep(screen, 'etcd', 'building', async () => 'ready')
  expect(screen.written).toEqual(['\r\x1b[Ketcd: building', '\r\x1b[Ketcd: ready (0 s)', '\n'])
})

it('says which step failed, and passes the failure on', async () => {
  const screen = recordedScreen(false)
  const step = showStep(screen, 'etcd', 'building', () => Promise.reject(new Error('no compiler')))
  await expect(step).rejects.toThrow('no compiler')
  expect(screen.written.at(-1)).toBe('etcd: FAILED (0 s)\n')
})
