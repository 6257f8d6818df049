// One process of a proxy, from its start to its end: what it is told, what it answers. Knows not when another takes its place.
import cluster, { type Worker } from 'node:cluster'
import { NamingError } from '../../naming/errors.ts'
import type { Clock } from '../../watch/clock.ts'
import type { ProxyConfig } from '../config.ts'
import type { RouterAddresses } from '../open-routers.ts'
import type { MergedTelemetry } from '../telemetry/merged-telemetry.ts'
import type { TelemetrySnapshot } from '../telemetry/snapshot.ts'
import type { AnswerTo, FromWorker, Question, ToWorker } from './messages.ts'
import { workerVariable } from './worker-variable.ts'

/** A worker that does not answer for so long is shown as silent. */
const answerMs = 2_000

export interface WorkerLinkOptions {
  readonly worker: number
  readonly config: ProxyConfig
  readonly clock: Clock
  /** Where it goes what the process counts. */
  readonly telemetry: MergedTelemetry
}

/** How a process ended, in words. */
export type OnExit = (how: string) => void

export class WorkerLink {
  readonly #options: WorkerLinkOptions
  readonly #process: Worker
  readonly #asked = new Map<number, (value: unknown) => void>()
  #nextId = 1
  #settleStart: { resolve(routers: RouterAddresses): void; reject(error: Error): void } | undefined
  /** Resolves when it listens; rejects when it cannot. */
  readonly started: Promise<RouterAddresses>
  /** Whether it listens; what is asked of it before gets no answer. */
  isStarted = false

  /** Starts a process; `onExit` is called once when it is gone, or could not be made. Throws when the system has no memory for it. */
  constructor(options: WorkerLinkOptions, onExit: OnExit) {
    this.#options = options
    this.started = new Promise((resolve, reject) => {
      this.#settleStart = { resolve, reject }
    })
    // Who started it may have lost interest.
    this.started.catch(() => {})
    this.#process = cluster.fork({ [workerVariable]: String(options.worker) })
    this.#process.on('message', (message: FromWorker) => this.#receive(message))
    this.#process.on('error', (error: Error) => {
      // One that was never made does not end; a message that cannot be sent is answered by the exit that follows.
      if (this.pid === undefined) this.#gone(error.message, onExit)
    })
    this.#process.once('exit', (code, signal) => this.#gone(signal ?? `code ${code}`, onExit))
  }

  get pid(): number | undefined {
    return this.#process.process.pid
  }

  /** undefined when it does not listen yet, or does not answer in time. */
  async ask<Q extends Question>(question: Q): Promise<AnswerTo<Q> | undefined> {
    if (!this.isStarted) return undefined
    return (await this.#ask(question)) as AnswerTo<Q> | undefined // the worker answers what was asked
  }

  /** Has it tell what it has counted; resolves in time, whether it answers or not. */
  async count(): Promise<void> {
    const snapshot = await this.ask('telemetry')
    if (snapshot !== undefined && !this.#process.isDead()) this.#tell(snapshot)
  }

  /** Asks it to end what it does, or cuts it. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.process.kill(signal)
  }

  #ask(question: Question): Promise<unknown> {
    return new Promise(resolve => {
      const id = this.#nextId++
      const settle = (value: unknown): void => {
        cancel()
        this.#asked.delete(id)
        resolve(value)
      }
      const cancel = this.#options.clock.after(answerMs, () => settle(undefined))
      this.#asked.set(id, settle)
      this.#send({ kind: 'ask', id, question })
    })
  }

  #send(message: ToWorker): void {
    if (this.#process.isConnected()) this.#process.send(message)
  }

  #receive(message: FromWorker): void {
    const { worker, config } = this.#options
    if (message.kind === 'loaded') this.#send({ kind: 'start', worker, config })
    else if (message.kind === 'started') this.#begun(message.routers)
    else if (message.kind === 'failed') this.#settleStart?.reject(errorOf(message))
    else if (message.kind === 'answer') this.#asked.get(message.id)?.(message.value)
    else if (message.kind === 'ended') this.#tell(message.telemetry)
  }

  #begun(routers: RouterAddresses): void {
    this.isStarted = true
    this.#settleStart?.resolve(routers)
  }

  #tell(snapshot: TelemetrySnapshot): void {
    this.#options.telemetry.take(this.#options.worker, snapshot)
  }

  #gone(how: string, onExit: OnExit): void {
    this.#settleStart?.reject(new NamingError('unavailable', `worker ${this.#options.worker} ended (${how})`))
    for (const settle of [...this.#asked.values()]) settle(undefined)
    this.#options.telemetry.end(this.#options.worker)
    onExit(how)
  }
}

/** What kept a worker from starting; its code only decides how this process ends. */
function errorOf({ code, message }: { readonly code: string; readonly message: string }): NamingError {
  return new NamingError(code === 'bad-config' ? 'bad-config' : 'unavailable', message)
}
