// The proxies that another thread knows of, asked over a line; and the same offered to the other end. Knows no transport.
import type { ProxiesApplied, ProxiesPart, ProxiesQuery, ProxySource } from '../../api/proxies.ts'
import type { DtabVersion } from '../../api/servers.ts'
import type { Line, LineService } from './line.ts'

/** Asks the other end; the line must serve `proxiesService` there. */
export function proxiesOver(line: Line): ProxySource {
  return {
    page: async (query, signal) => (await line.ask('proxies', query, signal)) as ProxiesPart, // what the service below gives
    followApplied: (wanted, { heard, lost }) =>
      line.follow('applied', wanted, {
        heard: counts => heard(counts as ProxiesApplied), // the same
        lost: error => lost(error.message),
      }),
  }
}

export function proxiesService(own: ProxySource): Required<Pick<LineService, 'ask' | 'follow'>> {
  return {
    ask: { proxies: (query, signal) => own.page(query as ProxiesQuery, signal) }, // what proxiesOver asks
    follow: {
      applied: (wanted, listener) =>
        own.followApplied(wanted as DtabVersion, {
          heard: listener.heard,
          lost: reason => listener.lost(new Error(reason)),
        }),
    },
  }
}
