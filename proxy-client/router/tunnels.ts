// The tunnels of a router that are open, so that closing it leaves none behind.
import { runTunnel, type TunnelEnd } from '../exchange/tunnel.ts'

interface OpenTunnel {
  cut: () => void
}

export class Tunnels {
  readonly #open = new Set<OpenTunnel>()

  /** Joins two sockets, which it owns from here; `onOver` is called once when both are closed. */
  readonly open = (client: TunnelEnd, upstream: TunnelEnd, onOver: () => void): void => {
    const tunnel: OpenTunnel = { cut: () => {} }
    this.#open.add(tunnel)
    const forget = (): void => {
      this.#open.delete(tunnel)
      onOver()
    }
    tunnel.cut = runTunnel(client, upstream, { onOver: forget })
  }

  /** Cuts all of them. */
  close(): void {
    for (const { cut } of this.#open) cut()
  }
}
