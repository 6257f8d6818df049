// The tunnels of a router that are open, so that closing it leaves none behind.
import type { TunnelEnd } from './routing.ts'

export class Tunnels {
  readonly #open = new Set<TunnelEnd>()

  /** Joins two sockets, which it owns from here; `onOver` is called once when both are closed. */
  readonly open = (client: TunnelEnd, upstream: TunnelEnd, onOver: () => void): void => {
    let left = 2
    const close = (): void => {
      if (--left === 0) onOver()
    }
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#open.add(from)
      from.socket.on('error', () => to.socket.destroy())
      from.socket.on('close', () => {
        this.#open.delete(from)
        to.socket.destroySoon()
        close()
      })
      if (from.early.length > 0) to.socket.write(from.early)
      from.socket.pipe(to.socket)
    }
  }

  /** Cuts all of them. */
  close(): void {
    for (const { socket } of this.#open) socket.destroy()
  }
}
