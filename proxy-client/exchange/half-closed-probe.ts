// Finds out whether a client that has ended its side still reads. A closed one sends a reset for anything written to it, and
// an interim response is what may be written to any client of HTTP/1.1 (RFC 9110, 15.2). Knows nothing of requests.
import type { Socket } from 'node:net'
import type { Timeout, TimeoutQueue } from '../timeout/timeout-queue.ts'

/**
 * Sends `100 Continue` in two parts, one after each timeout of the queue: a client that has left resets the connection on the
 * first, which the second then meets. An answer that comes sooner is not touched.
 */
export class HalfClosedProbe {
  readonly #socket: Socket
  readonly #timeout: Timeout
  #isHalfSent = false

  /** Begins at once. */
  constructor(socket: Socket, queue: TimeoutQueue) {
    this.#socket = socket
    this.#timeout = queue.create(this.#step)
    this.#timeout.start()
  }

  /** Ends it, an interim response that has begun too: whatever follows is read as itself. */
  end(): void {
    this.#timeout.stop()
    if (!this.#isHalfSent) return
    this.#isHalfSent = false
    this.#socket.write('\r\n')
  }

  /** The connection is gone. */
  stop(): void {
    this.#timeout.stop()
  }

  readonly #step = (): void => {
    if (this.#isHalfSent) {
      this.end()
      return
    }
    this.#isHalfSent = true
    this.#socket.write('HTTP/1.1 100 Continue\r\n')
    this.#timeout.start()
  }
}
