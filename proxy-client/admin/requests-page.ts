// /requests: the last few requests, newest first. What clients sent is shown, never run.
import type { RecentRequest } from '../telemetry/recent-requests.ts'
import { isoTime } from '../telemetry/time-text.ts'
import { escapeHtml, htmlPage } from './html.ts'

/** `isSampled`: whether requests are kept at all. */
export function requestsPage(recent: readonly RecentRequest[], isSampled: boolean): string {
  return htmlPage({ title: 'Requests', main: `<h2>Recent requests</h2>\n${content(recent, isSampled)}` })
}

function content(recent: readonly RecentRequest[], isSampled: boolean): string {
  if (!isSampled)
    return `<p>Requests are not kept. Add this to the configuration to see some of them here:</p>
<pre>telemetry:
  - kind: io.l5d.recentRequests
    sampleRate: 0.01</pre>`
  if (recent.length === 0) return '<p class="facts">None has been kept yet.</p>'
  const heading = columns.map(({ title, kind }) => `<th scope="col" class="${kind}">${title}</th>`).join('')
  const rows = recent.map(request => `<tr>${columns.map(column => cell(request, column)).join('')}</tr>`)
  return `<p class="facts">A sample, newest first; times are UTC. <a href="/requests?json">As JSON</a></p>
<div class="scroll"><table>
<thead><tr>${heading}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`
}

interface Column {
  readonly title: string
  readonly kind: 'name' | 'number' | 'short'
  readonly text: (request: RecentRequest) => string
  readonly tone?: (request: RecentRequest) => string
}

const columns: readonly Column[] = [
  { title: 'Time', kind: 'short', text: ({ startedAt }) => isoTime(startedAt).slice(11, -1) },
  { title: 'Status', kind: 'number', text: ({ status }) => String(status), tone: toneOf },
  { title: 'ms', kind: 'number', text: ({ ms }) => ms.toFixed(1) },
  { title: 'Request', kind: 'name', text: ({ method, host, target }) => `${method} ${host ?? ''}${target}` },
  { title: 'Service', kind: 'name', text: ({ service, failedAt }) => service ?? `- (${failedAt ?? 'no name'})` },
  { title: 'Client', kind: 'name', text: ({ client }) => client ?? '-' },
  { title: 'Endpoint', kind: 'short', text: ({ endpoint }) => endpoint ?? '-' },
  { title: 'Tries', kind: 'number', text: ({ attempts }) => String(attempts) },
  { title: 'Bytes in, out', kind: 'number', text: ({ bytesIn, bytesOut }) => `${bytesIn}, ${bytesOut}` },
  { title: 'From', kind: 'short', text: ({ from }) => from },
  { title: 'Router', kind: 'short', text: ({ router }) => router },
]

function cell(request: RecentRequest, { kind, text, tone }: Column): string {
  const toned = tone === undefined ? kind : `${kind} ${tone(request)}`
  return `<td class="${toned}">${escapeHtml(text(request))}</td>`
}

function toneOf({ result }: RecentRequest): string {
  return result === 'success' ? 'good' : result === 'failure' ? 'bad' : 'warn'
}
