// What linkerd's pages /client_state.json and /bound-names.json hold.
import { withNamesOnce } from '../telemetry/merge-snapshots.ts'
import type { ClientGauges, TelemetrySnapshot } from '../telemetry/snapshot.ts'

type ClientStates = Readonly<Record<string, Readonly<Record<string, ClientGauges>>>>

/** By router and bound id: the endpoints in use, and how each is. */
export function clientStates({ routers }: TelemetrySnapshot): ClientStates {
  return Object.fromEntries(
    routers
      .map(withNamesOnce)
      .map(({ label, clients }) => [
        label,
        Object.fromEntries(clients.flatMap(({ name, now }) => (now === undefined ? [] : [[name, now]]))),
      ]),
  )
}

/** The bound ids in use, sorted. */
export function boundNames({ routers }: TelemetrySnapshot): readonly string[] {
  return [...new Set(routers.flatMap(({ clients }) => clients.map(({ name }) => name)))].toSorted()
}
