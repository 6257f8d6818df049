// A linkerd in Go as a child process: what it would hand to its router, read from the lines that it prints.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { locateBackend, locateTool } from '../../backends/locate.ts'

const endpoint = z.object({
  address: z.string(),
  weight: z.number(),
  nodeName: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
})

const share = z.object({
  share: z.number(),
  outcome: z.enum(['pending', 'neg', 'failed', 'bound', 'fail', 'empty']),
  id: z.string().optional(),
  residual: z.string().optional(),
  message: z.string().optional(),
  endpoints: z.array(endpoint).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
})

const line = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('route'),
    name: z.string(),
    outcome: z.enum(['neg', 'fail', 'empty', 'shares']),
    shares: z.array(share).optional(),
  }),
  z.object({
    kind: z.literal('dtab'),
    code: z.string(),
    message: z.string().optional(),
    version: z.string().optional(),
    dentries: z.number(),
  }),
  z.object({
    kind: z.literal('stream'),
    of: z.string(),
    code: z.string(),
    message: z.string().optional(),
    reopenMs: z.number(),
  }),
  z.object({ kind: z.literal('heard'), of: z.string() }),
])

export type LinkerdLine = z.output<typeof line>
export type LinkerdRoute = Extract<LinkerdLine, { kind: 'route' }>

/** Dispose kills it. */
export class MeshLinkerd implements AsyncDisposable {
  /** All it has printed. */
  readonly lines: LinkerdLine[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #waiting = new Set<() => void>()
  #errors = ''

  /** Follows these names of the namespace. `flags` are those of test/real/mesh-client. */
  constructor(port: number, root: string, names: readonly string[], flags: readonly string[] = []) {
    const argv = ['-server', `127.0.0.1:${port}`, '-root', root, ...flags, ...names]
    const launched = ['--pdeathsig', 'KILL', locateBackend('mesh-client'), ...argv]
    this.#child = spawn(locateTool('setpriv'), launched, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.stderr?.on('data', chunk => {
      this.#errors += String(chunk)
    })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('it has no standard output')
    createInterface({ input: stdout }).on('line', text => {
      this.lines.push(line.parse(JSON.parse(text)))
      for (const look of this.#waiting) look()
    })
  }

  /** What it would do with the requests of a name now. */
  route(name: string): LinkerdRoute | undefined {
    return this.lines.findLast((each): each is LinkerdRoute => each.kind === 'route' && each.name === name)
  }

  /** The route in short: `neg`, or `0.9 /#/io.l5d.fs/a 127.0.0.1:1 127.0.0.1:2*0.5, 0.1 ...`. */
  short(name: string): string {
    const route = this.route(name)
    if (route?.outcome !== 'shares') return route?.outcome ?? 'unknown'
    return (route.shares ?? [])
      .map(({ share, outcome, id = outcome, residual = '', endpoints = [] }) => {
        const places = endpoints.map(({ address, weight }) => (weight === 1 ? address : `${address}*${weight}`))
        return [share, id + (residual === '' ? '' : `,${residual}`), ...places.toSorted()].join(' ')
      })
      .join(', ')
  }

  /** Resolves once `isSo`, which is asked after each line. */
  async until(what: string, isSo: () => boolean, limitMs = 30_000): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return
        clearTimeout(limit)
        this.#waiting.delete(look)
        resolve()
      }
      const limit = setTimeout(() => {
        this.#waiting.delete(look)
        const last = this.lines.slice(-8).map(each => JSON.stringify(each).slice(0, 500))
        reject(new Error(`not within ${limitMs} ms: ${what}\n${last.join('\n')}\n${this.#errors}`))
      }, limitMs)
      this.#waiting.add(look)
    })
  }

  /** Resolves once a name goes where `short` says. */
  async goes(name: string, where: string, limitMs?: number): Promise<void> {
    try {
      await this.until('', () => this.short(name) === where, limitMs)
    } catch (error) {
      throw new Error(`${name} goes to ${this.short(name)} and not to ${where}`, { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
