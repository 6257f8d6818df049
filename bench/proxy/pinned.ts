// Child processes bound to one core, with what they cost: processor time and resident memory, read from the kernel.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** The core of what is measured; load and backend are on the other. */
export const proxyCore = 1
export const loadCore = 0

/** Ticks a second in /proc; Linux shows 100 to programs whatever the kernel's own clock is. */
const ticksPerSecond = 100

/** A process that is ended on disposal. Its errors go where ours go. */
export class Pinned implements AsyncDisposable {
  readonly child: ChildProcess

  /** One core, or several as `0,1`. */
  constructor(core: number | string, command: string, argv: readonly string[]) {
    this.child = spawn('taskset', ['-c', String(core), command, ...argv], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
  }

  get pid(): number {
    const { pid } = this.child
    if (pid === undefined) throw new Error(`${this.child.spawnfile} did not start`)
    return pid
  }

  /** Processor time of all its threads so far, in microseconds. */
  async cpuMicros(): Promise<number> {
    return await cpuMicrosOf(this.pid)
  }

  /** Of it and of the processes that it has started. */
  async familyCpuMicros(): Promise<number> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8')
    const pids = [this.pid, ...children.split(' ').filter(Boolean).map(Number)]
    return (await Promise.all(pids.map(cpuMicrosOf))).reduce((sum, each) => sum + each, 0)
  }

  async residentMb(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise(resolve => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
  }
}

async function cpuMicrosOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name stands in brackets and may hold blanks; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
}

/** Resolves when something accepts connections on a port of this machine; rejects after ten seconds. */
export async function untilListening(port: number): Promise<void> {
  for (let left = 1000; left > 0; left--) {
    if (await accepts(port)) return
    await delay(10)
  }
  throw new Error(`nothing listens on port ${port}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
