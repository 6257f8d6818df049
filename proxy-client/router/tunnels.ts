// The tunnels of a router that are open, so that closing it leaves none behind.
import { runTunnel, type TunnelEnd } from '../exchange/tunnel.ts'
import type { TimeoutQueue } from '../timeout/timeout-queue.ts'

export interface TunnelTerms {
  /** A tunnel through which nothing came for that long is cut; absent for no limit. */
  readonly idle: TimeoutQueue | undefined
  /** Called once when both sockets are closed. */
  readonly onOver: () => void
}

interface OpenTunnel {
  cut: () => void
}

export class Tunnels {
  readonly #open = new Set<OpenTunnel>()

  /** Joins two sockets, which it owns from here. */
  readonly open = (client: TunnelEnd, upstream: TunnelEnd, { idle, onOver }: TunnelTerms): void => {
    const tunnel: OpenTunnel = { cut: () => {} }
    this.#open.add(tunnel)
    const forget = (): void => {
      this.#open.delete(tunnel)
      onOver()
    }
    tunnel.cut = runTunnel(client, upstream, { idle, onOver: forget })
  }

  /** Cuts all of them. */
  close(): void {
    for (const { cut } of this.#open) cut()
  }
}
