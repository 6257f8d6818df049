// Where a thread begins. Knows nothing but what it hands on.
import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadData } from './thread-data.ts'

enableCompileCache()
const { serveThread } = await import('./serve-thread.ts')
const { trimHeap } = await import('../../runtime/trim-heap.ts')
if (parentPort === null) throw new Error('this file is the start of a thread')
trimHeap()
serveThread(workerData as ThreadData, parentPort) // as GrpcThread made it
