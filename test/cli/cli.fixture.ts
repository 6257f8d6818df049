// namerctl in this process against the real HTTP API over a memory store; time stands at one instant, so output is golden.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type CliIo, runNamerctl } from '../../cli/index.ts'
import { systemClock } from '../../watch/clock.ts'
import { createFixture, type Fixture, type FixtureOptions } from '../api/http/http-api.fixture.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface CliFixture extends Fixture {
  readonly url: string
  /** A directory of its own, which is the working directory. */
  readonly dir: string
  /** Writes a file there; gives its name. */
  file(name: string, text: string): string
  /** Resolves once `default` is at the version. */
  written(version: number): Promise<void>
  /** One command line, split at spaces unless it is given in parts. */
  run(line: string | readonly string[], changes?: Partial<CliIo>): Promise<Ran>
}

/** Output that is watched while it comes. */
export class Screen {
  text = ''
  readonly #waiting = new Set<() => void>()

  readonly write = (text: string): void => {
    this.text += text
    for (const check of this.#waiting) check()
  }

  /** Resolves once the text has the part. */
  shows(part: string): Promise<void> {
    return new Promise(resolve => {
      const check = (): void => {
        if (!this.text.includes(part)) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}

export async function createCliFixture(options: FixtureOptions = {}): Promise<CliFixture> {
  const fixture = await createFixture(options)
  onTestFinished(() => fixture.close())
  const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${port}`
  const dir = mkdtempSync(join(tmpdir(), 'namerctl-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return {
    ...fixture,
    url,
    dir,
    file: (name, text) => {
      writeFileSync(join(dir, name), text)
      return name
    },
    written: version =>
      until(() => {
        const list = fixture.store.list().peek()
        return (
          list.kind === 'ok' &&
          list.value.some(({ namespace, version: at }) => namespace === 'default' && at === version)
        )
      }),
    run: (line, changes = {}) => runCli(line, { cwd: dir, home: dir, env: { NAMERCTL_BASE_URL: url }, ...changes }),
  }
}

/** Runs a command line with captured output. */
export async function runCli(line: string | readonly string[], changes: Partial<CliIo> = {}): Promise<Ran> {
  const out = new Screen()
  const err = new Screen()
  const argv = typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line
  const code = await runNamerctl(argv, {
    ...standardIo(),
    stdout: out.write,
    stderr: err.write,
    writeStdout: async bytes => out.write(Buffer.from(bytes).toString()),
    ...changes,
  })
  return { code, out: out.text, err: err.text }
}

/** A terminal-less world in which nothing is kept of what is said. */
export function standardIo(): CliIo {
  return {
    stdout: () => {},
    stderr: () => {},
    readStdin: async () => '',
    openStdin: async function* () {},
    writeStdout: async () => {},
    env: {},
    cwd: '/nowhere',
    home: '/nowhere',
    user: 'ann',
    isTerminal: { stdout: false, stderr: false },
    fetch,
    runEditor: async () => 1,
    clock: systemClock,
    random: () => 0,
    interrupted: new AbortController().signal,
  }
}

/** An editor that rewrites the file as a function says. */
export function editorThat(rewrite: (text: string) => string): CliIo['runEditor'] {
  return async (_command, file) => {
    writeFileSync(file, rewrite(readFileSync(file, 'utf8')))
    return 0
  }
}

/** Resolves once `isTrue`, asking at each turn of the event loop; the test's own time limit is the only one. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise<void>(resolve => void systemClock.defer(resolve))
}
