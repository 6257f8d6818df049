// `nameplane proxy` in a worker: it has its configuration from the first process, and serves until that, or a signal, ends it.
import { NamingError } from '../../naming/errors.ts'
import { runService } from '../../runtime/service-command.ts'
import { trimHeap } from '../../runtime/trim-heap.ts'
import { systemClock } from '../../watch/clock.ts'
import { createProxyEnv } from '../create-proxy-env.ts'
import { graceMs } from '../grace.ts'
import { surviveHangUps } from '../hang-up.ts'
import { createOpenNaming } from '../open-naming.ts'
import { openRouters, type ServingRouters } from '../open-routers.ts'
import { releaseYoungHeapSoon } from '../young-heap.ts'
import type { FromWorker, StartMessage, ToWorker } from './messages.ts'

/** Runs until stopped; resolves to the exit code. */
export function runWorker(argv: readonly string[]): Promise<number> {
  return runService(
    {
      name: 'nameplane proxy, a worker',
      help: '',
      clock: systemClock,
      start: async (_file, log) => {
        const { worker, config } = await startMessage()
        const env = createProxyEnv(log.child({ worker }))
        trimHeap()
        surviveHangUps(config)
        try {
          const serving = await openRouters(config, env, createOpenNaming(config.lastGood, worker))
          releaseYoungHeapSoon(env.clock)
          serveQuestions(serving)
          await tell({ kind: 'started', routers: serving.routers })
          const close = async (): Promise<void> => {
            await serving.close(graceMs)
            await tell({ kind: 'ended', telemetry: await serving.source.telemetry() })
            env.kernel.close()
          }
          return { listening: [], graceMs: graceMs + 3_000, close }
        } catch (error) {
          const { code, message } = NamingError.from(error)
          await tell({ kind: 'failed', code, message })
          process.exit(1)
        }
      },
    },
    argv,
  )
}

function startMessage(): Promise<StartMessage> {
  return new Promise(resolve => {
    const take = (message: ToWorker): void => {
      if (message.kind !== 'start') return
      process.off('message', take)
      resolve(message)
    }
    process.on('message', take)
    void tell({ kind: 'loaded' })
  })
}

function serveQuestions({ source }: ServingRouters): void {
  process.on('message', (message: ToWorker) => {
    if (message.kind !== 'ask') return
    const { id, question } = message
    void Promise.resolve(source[question]()).then(value => tell({ kind: 'answer', id, value }))
  })
}

/** Resolves once it is sent, or cannot be. */
function tell(message: FromWorker): Promise<void> {
  return new Promise(resolve => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve())
    else resolve()
  })
}
