// The clients of the push benchmark, in a process of their own: bare Watch streams that read every update.
// Orders come by IPC: open streams, expect a number of trees; answers say when that was reached.
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { namingService } from '../../proto/naming-service.ts'
import { WatchRequestWriter } from '../../proto/watch-requests.ts'
import { decodeWatchResponse } from '../../proto/watch-responses.ts'

/** What the benchmark tells its clients. */
export interface OpenOrder {
  readonly address: string
  readonly streams: number
  readonly namesPerStream: number
}

/** What they answer each time as many more trees have come as there are names, and when asked. */
export interface ClientReport {
  readonly trees: number
  readonly messages: number
}

const bytesPerRequest = 60_000

function openStream(order: OpenOrder, index: number, received: (trees: number) => void): void {
  const client = new Client(order.address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc-node.flow_control_window': 1024 * 1024,
  })
  const { path, requestSerialize, responseDeserialize } = namingService.Watch
  const stream = client.makeBidiStreamRequest<Uint8Array, Buffer>(
    path,
    requestSerialize,
    responseDeserialize,
    new Metadata(),
  )
  stream.on('data', (message: Buffer) => {
    let trees = 0
    for (const update of decodeWatchResponse(message).updates)
      if (update.kind === 'tree' && update.state.kind === 'ok') trees++
    received(trees)
  })
  stream.on('error', () => process.exit())
  const writer = new WatchRequestWriter()
  for (let i = 0; i < order.namesPerStream; i++) {
    const name = { namespace: 'default', path: ['svc', `service-${index * order.namesPerStream + i}`], dtab: '' }
    writer.add({ kind: 'subscribe', key: i + 1, name, hash: '' })
    if (writer.length > bytesPerRequest) stream.write(writer.finish())
  }
  if (writer.length > 0) stream.write(writer.finish())
}

function serve(order: OpenOrder): void {
  const total = order.streams * order.namesPerStream
  let trees = 0
  let messages = 0
  const report = (): void => {
    process.send?.({ trees, messages } satisfies ClientReport)
  }
  for (let index = 0; index < order.streams; index++)
    openStream(order, index, count => {
      const before = trees
      trees += count
      messages++
      if (Math.floor(before / total) !== Math.floor(trees / total)) report()
    })
  process.on('message', report)
}

if (process.send !== undefined) process.once('message', (order: OpenOrder) => serve(order))
