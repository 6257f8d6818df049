// The main thread's side of the write worker: one request at a time, one answer each. Knows nothing of queues.
import { Worker } from 'node:worker_threads'
import { NamingError } from '../../naming/errors.ts'
import type { WorkerAnswer, WorkerRequest } from './write-worker.ts'

/** The worker runs from source and from a build alike. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './write-worker.ts' : './write-worker.js', import.meta.url)

interface Waiting {
  readonly resolve: (answer: WorkerAnswer) => void
  readonly reject: (error: NamingError) => void
}

/** A running worker. Whoever creates it ends it with `stop`. Keeps the process alive only while an answer is due. */
export class WriteThread {
  readonly #worker = new Worker(workerUrl)
  #waiting: Waiting | undefined
  #death: NamingError | undefined

  constructor() {
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(waiting => waiting.resolve(answer)))
    this.#worker.on('error', error => this.#die(error))
    this.#worker.on('messageerror', error => this.#die(error))
    this.#worker.on('exit', () => this.#die(undefined))
  }

  /** True once the worker has ended for whatever reason; asking it is then refused. */
  get isDead(): boolean {
    return this.#death !== undefined
  }

  /** Rejects with store-unavailable when the worker ends before it answers. Never call it twice at a time. */
  ask(request: WorkerRequest): Promise<WorkerAnswer> {
    if (this.#death !== undefined) return Promise.reject(this.#death)
    this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#worker.postMessage(request)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle(settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#worker.unref()
    if (waiting !== undefined) settle(waiting)
  }

  #die(cause: unknown): void {
    this.#death ??= new NamingError(
      'store-unavailable',
      'The thread that writes the database has ended unexpectedly.',
      {
        cause,
      },
    )
    const death = this.#death
    this.#settle(waiting => waiting.reject(death))
  }
}
