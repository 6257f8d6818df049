// A link for Watch streams that loses, repeats and overtakes whole messages in both directions, as no TCP connection does but
// a faulty relay, or a fault at either end, may.
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js'
import { namingService } from '../../proto/naming-service.ts'

export interface FaultyLinkOptions {
  /** Where messages go. */
  readonly target: string
  readonly random: () => number
  /** The share of messages that have a fault, 0 to 1. */
  readonly rate: number
}

export interface FaultyLink {
  readonly address: string
  /** From now on; 0 to 1. */
  rate: number
  /** Messages with a fault so far. */
  readonly faults: number
  close(): void
}

type Pass = (message: Buffer) => void

export async function startFaultyLink({ target, random, rate }: FaultyLinkOptions): Promise<FaultyLink> {
  const link = { address: '', rate, faults: 0, close: () => server.forceShutdown() }
  /** Passes messages on, each as it comes but for those with a fault. */
  const faulty = (pass: Pass): Pass => {
    let late: Buffer | undefined
    return message => {
      const overtaken = late
      late = undefined
      const isFaulty = random() < link.rate
      if (isFaulty) link.faults++
      const fault = isFaulty ? Math.floor(random() * 3) : -1
      if (fault === 2) late = message
      else if (fault !== 0) pass(message)
      if (fault === 1) pass(message)
      if (overtaken !== undefined) pass(overtaken)
    }
  }
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  server.addService(
    { Watch: namingService.Watch },
    { Watch: (near: ServerDuplexStream<Buffer, Buffer>) => join(near, target, faulty) },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  link.address = `127.0.0.1:${port}`
  return link
}

/** Joins a stream of a client to one of the server at `target`, until either ends. */
function join(near: ServerDuplexStream<Buffer, Buffer>, target: string, faulty: (pass: Pass) => Pass): void {
  const client = new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const { path, requestSerialize, responseDeserialize } = namingService.Watch
  const far: ClientDuplexStream<Uint8Array, Buffer> = client.makeBidiStreamRequest<Uint8Array, Buffer>(
    path,
    requestSerialize,
    responseDeserialize,
    new Metadata(),
  )
  near.on(
    'data',
    faulty(message => far.write(message)),
  )
  far.on(
    'data',
    faulty(message => near.write(message)),
  )
  far.on('metadata', () => near.sendMetadata(new Metadata()))
  far.on('error', () => {})
  far.on('status', ({ code, details }: StatusObject) => {
    near.emit('error', Object.assign(new Error(details), { code, details }))
    client.close()
  })
  near.on('error', () => {})
  near.on('cancelled', () => far.cancel())
}
