// nameplane.v1.Proxies as a service: what this server knows of its own proxies, for the other servers of its store.
import { Metadata, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js'
import { decodeAppliedQuery, encodeApplied } from '../../proto/proxies-messages.ts'
import { proxiesProtoFile, proxiesService, proxiesServiceName } from '../../proto/proxies-service.ts'
import type { ProxiesApplied } from '../proxies.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import type { GrpcService } from './grpc-service.ts'
import { decodeQuery, encodePart } from './proxies-wire.ts'

type ListCall = ServerUnaryCall<Buffer, Buffer>
type FollowCall = ServerWritableStream<Buffer, Buffer>

/** Waits for proxies that other servers may have under way here at a time. */
const maxFollowing = 1_000

export function createProxiesCalls({ ownProxies, clock, log }: GrpcPorts): GrpcService {
  const following = new Set<AppliedSession>()
  const list = async (call: ListCall, answer: sendUnaryData<Buffer>): Promise<void> => {
    const cancelled = new AbortController()
    call.on('cancelled', () => cancelled.abort())
    try {
      answer(null, encodePart(await ownProxies.page(decodeQuery(call.request), cancelled.signal), clock.now()))
    } catch (error) {
      if (!(error instanceof RangeError)) log.error({ err: error }, 'The proxies of this server could not be listed.')
      answer(error instanceof RangeError ? malformed(error) : unavailable)
    }
  }
  const follow = (call: FollowCall): void => {
    const session = new AppliedSession(call, { ownProxies })
    following.add(session)
    call.on('close', () => following.delete(session))
    if (following.size > maxFollowing)
      session.end(status.RESOURCE_EXHAUSTED, `This server is asked for ${maxFollowing} versions already.`)
  }
  return {
    name: proxiesServiceName,
    definition: proxiesService,
    protoFile: proxiesProtoFile,
    handlers: {
      List: (call: ListCall, answer: sendUnaryData<Buffer>) => void list(call, answer),
      FollowApplied: follow,
    },
    end: (code, details) => {
      for (const session of following) session.end(code, details)
    },
  }
}

/** Tells one other server how far a version has come: one message is on its way at most, and then the newest counts. */
class AppliedSession {
  readonly #call: FollowCall
  #unfollow: (() => void) | undefined
  #news: ProxiesApplied | undefined
  #isWriting = false
  #isClosed = false

  constructor(call: FollowCall, { ownProxies }: Pick<GrpcPorts, 'ownProxies'>) {
    this.#call = call
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.#close())
    call.sendMetadata(new Metadata())
    try {
      const unfollow = ownProxies.followApplied(decodeAppliedQuery(call.request), {
        heard: counts => this.#tell(counts),
        lost: reason => this.end(status.UNAVAILABLE, reason),
      })
      if (this.#isClosed) unfollow()
      else this.#unfollow = unfollow
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.end(status.INVALID_ARGUMENT, malformed(error).details)
    }
  }

  end(code: status, details: string): void {
    if (this.#isClosed) return
    this.#close()
    this.#call.emit('error', Object.assign(new Error(details), { code, details }))
  }

  #tell(counts: ProxiesApplied): void {
    this.#news = counts
    if (!this.#isWriting) this.#write()
  }

  #write(): void {
    const news = this.#news
    if (news === undefined || this.#isClosed) return
    this.#news = undefined
    this.#isWriting = true
    this.#call.write(encodeApplied(news), () => {
      this.#isWriting = false
      this.#write()
    })
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unfollow?.()
  }
}

const unavailable = { code: status.UNAVAILABLE, details: 'A part of this server does not answer.' }

function malformed({ message }: RangeError): { readonly code: status; readonly details: string } {
  return { code: status.INVALID_ARGUMENT, details: `The request does not decode: ${message}` }
}
