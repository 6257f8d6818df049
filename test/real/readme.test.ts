// The README's tour is run as it stands, against a fresh `nameplane dev`.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Command, nameplane, root } from '../e2e/process.fixture.ts'

const run = promisify(execFile)
const packageJson = z.object({ scripts: z.object({ namerctl: z.string() }) })

interface Step {
  readonly command: string
  readonly expected: string
}

const viaNpm = 'npm run -s namerctl -- '

/** What npm would run, without the cost of npm. */
async function withoutNpm(command: string): Promise<string> {
  const { scripts } = packageJson.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
  return command.replace(viaNpm, `${scripts.namerctl} `)
}

/** Each `$ command` of the blocks marked `console tour`, with the lines below it; `...` stands for anything. */
function tourSteps(readme: string): readonly Step[] {
  const blocks = [...readme.matchAll(/```console tour\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
  return blocks.flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(step => ({
        command: step.slice(0, step.indexOf('\n')),
        expected: step.slice(step.indexOf('\n') + 1).trimEnd(),
      })),
  )
}

function matches(actual: string, expected: string): boolean {
  const pattern = expected
    .split('...')
    .map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*')
  return new RegExp(`^${pattern}$`).test(actual.trimEnd())
}

describe('the two-minute tour of the README', () => {
  let folder: string
  let dev: Command
  let api: string
  let proxy: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nameplane-tour-'))
    dev = nameplane(['dev', '--any-port', '--dir', folder])
    await dev.printed(/Ctrl-C stops everything/)
    api = (await dev.printed(/HTTP API +(http:\/\/127\.0\.0\.1:\d+)/))[1] ?? ''
    proxy = (await dev.printed(/proxy +http:\/\/(127\.0\.0\.1:\d+)/))[1] ?? ''
  })

  afterAll(async () => {
    await dev[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('does what it says, every command of it', async () => {
    const steps = tourSteps(await readFile(join(root, 'README.md'), 'utf8'))
    expect(steps.length).toBeGreaterThan(10)
    const first = steps.find(({ command }) => command.startsWith(viaNpm))
    for (const step of steps) {
      const { command, expected } = step
      const here = (step === first ? command : await withoutNpm(command))
        .replaceAll('localhost:4140', proxy)
        .replaceAll('http://localhost:4180', api)
        .replaceAll('localhost:4180', api.replace('http://', ''))
      const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
      const env = { ...process.env, PATH: path, NAMERCTL_BASE_URL: api, NO_COLOR: '1' }
      const { stdout } = await run('bash', ['-c', here], { cwd: root, env })
      expect(matches(stdout, expected), `${command}\nprinted:\n${stdout}\nand not:\n${expected}`).toBe(true)
    }
  })

  it('is told at start how to try it', () => {
    for (const hint of [
      "curl -H 'Host: web' ",
      'dtab update default examples/ten-percent.dtab',
      'dtab rollback default 1',
    ]) {
      expect(dev.stdout).toContain(hint)
    }
  })
})
