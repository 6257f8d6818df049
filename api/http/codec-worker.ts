// The thread in which large dtabs are checked and printed. Holds nothing between jobs.
import { parentPort } from 'node:worker_threads'
import { NamingError } from '../../naming/errors.ts'
import { type CodecAnswer, type CodecJob, refusal, runCodecJob } from './dtab-codec.ts'

/** One job under way: answers carry the id of their request. */
export interface CodecRequest {
  readonly id: number
  readonly job: CodecJob
}

export interface CodecReply {
  readonly id: number
  readonly answer: CodecAnswer
}

function run(job: CodecJob): CodecAnswer {
  try {
    return runCodecJob(job)
  } catch (error) {
    return refusal(NamingError.from(error))
  }
}

parentPort?.on('message', ({ id, job }: CodecRequest) => {
  const reply: CodecReply = { id, answer: run(job) }
  parentPort?.postMessage(reply)
})
