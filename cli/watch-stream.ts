// A stream of events that outlives connections: it connects again after a jittered wait, from the content it holds.

import { pause } from '../watch/pause.ts'
import { type WatchEvent, watchEvent } from './answers.ts'
import { RefusedError, type Request } from './api-client.ts'
import { CliError, reasonOf } from './cli-error.ts'
import type { Session } from './session.ts'

const firstWaitMs = 200
const longestWaitMs = 10_000
/** The server sends a heartbeat every 15 s; without three of them the connection is dead. */
const silenceMs = 45_000

export interface Watching {
  readonly request: Request
  /** Told of each newer event once, heartbeats apart. */
  readonly onEvent: (event: WatchEvent) => void
}

/**
 * Follows a stream until the user interrupts. A refusal, and a server that cannot be reached at first, are thrown; what
 * breaks later is remarked on once and tried again.
 */
export async function followStream(session: Session, watching: Watching): Promise<void> {
  const { io } = session
  const seen = new Seen()
  let failures = 0
  let wasConnected = false
  const onEvent = (event: WatchEvent): void => {
    if (failures > 0 && wasConnected) session.remark('connected again')
    failures = 0
    wasConnected = true
    if (event.type !== 'heartbeat' && seen.isNewer(event)) watching.onEvent(event)
  }
  while (!io.interrupted.aborted) {
    try {
      await readOnce(session, watching, seen.hash, onEvent)
      if (!io.interrupted.aborted && failures === 0) session.remark('the server ended the stream; connecting again')
    } catch (error) {
      if (io.interrupted.aborted) return
      if (!wasConnected || isFinal(error)) throw error
      if (failures === 0) session.remark(`the connection broke (${reasonOf(error)}); connecting again`)
    }
    failures++
    await pause(io.clock, io.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** failures), io.interrupted)
  }
}

/** What was shown last. */
class Seen {
  hash: string | undefined
  #version = -1
  #key = ''

  /** A server that is behind must not take back what another one said. */
  isNewer({ type, dtabVersion, hash, ...rest }: WatchEvent): boolean {
    const key = `${type} ${dtabVersion} ${hash} ${rest.problem?.code ?? ''} ${rest.pending === undefined}`
    if (key === this.#key || dtabVersion < this.#version) return false
    this.#key = key
    this.#version = dtabVersion
    this.hash = hash
    return true
  }
}

function isFinal(error: unknown): boolean {
  if (error instanceof RefusedError) return error.problem.status < 500 && error.problem.status !== 429
  return error instanceof CliError && error.exitCode !== 1
}

async function readOnce(
  session: Session,
  { request }: Watching,
  from: string | undefined,
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const { client, io } = session
  const silence = new AbortController()
  const startTimer = () => io.clock.after(silenceMs, () => silence.abort(new Error('no heartbeat')))
  let cancel = startTimer()
  try {
    const signal = AbortSignal.any([io.interrupted, silence.signal])
    const query = { ...request.query, watch: true, from }
    const response = await client.send({ ...request, query, signal })
    for await (const line of linesOf(response)) {
      cancel()
      cancel = startTimer()
      const event = watchEvent.safeParse(JSON.parse(line))
      if (!event.success) throw new CliError(1, 'the server sent an event of another kind: is it of this version?')
      onEvent(event.data)
    }
  } finally {
    cancel()
  }
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}
