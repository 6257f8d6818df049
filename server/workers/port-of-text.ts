// A message port as a way for texts. Knows not what they say.
import type { MessagePort } from 'node:worker_threads'
import type { TextPort } from './port-messages.ts'

export function textPort(port: MessagePort): TextPort {
  return {
    post: text => port.postMessage(text),
    onText: take => void port.on('message', take),
  }
}
