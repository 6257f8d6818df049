// What the admin pages are made of, as plain data, so that a process may show what its workers tell it.
import type { ProxyTelemetry } from '../telemetry/proxy-telemetry.ts'
import type { RouterMeter, RouterReading } from '../telemetry/router-telemetry.ts'
import type { TelemetrySnapshot } from '../telemetry/snapshot.ts'
import { type ReadyReport, readyReport } from './ready.ts'
import { type ProxyState, type RunningRouter, stateOf } from './state.ts'

/** Everything it gives survives JSON. */
export interface AdminSource {
  telemetry(): TelemetrySnapshot | Promise<TelemetrySnapshot>
  state(): ProxyState | Promise<ProxyState>
  ready(): ReadyReport | Promise<ReadyReport>
}

/** A router with what reads its figures. */
export interface MeteredRouter extends RunningRouter {
  readonly meter: RouterMeter
  readonly reading: RouterReading
}

/** The routers of this process. */
export function createAdminSource(
  routers: readonly MeteredRouter[],
  telemetry: ProxyTelemetry,
  isClosing: () => boolean,
): AdminSource {
  return {
    telemetry: () => telemetry.snapshot(routers),
    state: () => stateOf(routers),
    ready: () => readyReport(routers, isClosing()),
  }
}
