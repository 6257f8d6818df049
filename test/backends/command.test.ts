import { expect, it } from 'vitest'
import { BackendError } from '../../backends/backend-error.ts'
import { runCommand } from '../../backends/command.ts'

const never = new AbortController().signal

it('gives what a command prints on its standard output', async () => {
  expect(await runCommand('sh', ['-c', 'echo "$A"; echo b >&2'], { env: { A: 'a' }, signal: never })).toBe('a\n')
})

it('shows the last lines of a command that fails', async () => {
  const script = 'for i in $(seq 100); do echo "line $i" >&2; done; exit 3'
  const failure = await runCommand('sh', ['-c', script], { signal: never }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(BackendError)
  const lines = String(failure).split('\n')
  expect(lines[0]).toMatch(/sh -c .*: ended with code 3$/s)
  expect(lines.slice(1)).toEqual(Array.from({ length: 40 }, (_, number) => `  line ${number + 61}`))
})

it('names a command that is not there', async () => {
  await expect(runCommand('no-such-program', [], { signal: never })).rejects.toThrow('no-such-program: spawn')
})

it('ends a command with all that it has started', async () => {
  const controller = new AbortController()
  // The pipe closes only when the grandchild has ended too.
  const run = runCommand('sh', ['-c', 'sleep 60 & sleep 60'], { signal: controller.signal })
  controller.abort('SIGINT')
  await expect(run).rejects.toBe('SIGINT')
  await expect(runCommand('true', [], { signal: controller.signal })).rejects.toBe('SIGINT')
})
