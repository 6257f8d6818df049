// The script of the overview, for browsers. Texts of others get into the page as text nodes only.

export const dashboardScript = `'use strict'
const refreshMs = 1000
const shownRows = 100
const dash = '-'

const number = (value, digits = 0) => value === undefined ? dash
  : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
const ms = value => value === undefined ? dash : number(value, value < 10 ? 2 : value < 100 ? 1 : 0)
const rate = value => value === undefined ? dash : number(Math.floor(value * 10000) / 100, 2) + ' %'
const tone = value => value === undefined ? '' : value >= 0.999 ? 'good' : value >= 0.98 ? 'warn' : 'bad'
const perSecond = value => number(value, value < 10 ? 1 : 0)

const node = (tag, className, text) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

const duration = total => {
  const seconds = Math.floor(total / 1000)
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
  const first = parts.findIndex(([size]) => seconds >= size)
  if (first < 0) return '0 s'
  return parts.slice(first, first + 2)
    .map(([size, unit], i) => Math.floor((i === 0 ? seconds : seconds % parts[first][0]) / size) + ' ' + unit).join(' ')
}

const common = [
  ['Requests/s', row => perSecond(row.perSecond)],
  ['Success', row => rate(row.successRate), row => tone(row.successRate)],
  ['p50 ms', row => ms(row.p50Ms)],
  ['p95 ms', row => ms(row.p95Ms)],
  ['p99 ms', row => ms(row.p99Ms)],
  ['Active', row => number(row.active)],
  ['Requests', row => number(row.requests)],
  ['Failures', row => number(row.failures)],
]
const serverColumns = [...common, ['Connections', row => number(row.connections)]]
const serviceColumns = [...common,
  ['Retries', row => number(row.retries)],
  ['Retry budget', row => number(row.budget), row => row.budget !== undefined && row.budget < 1 ? 'warn' : ''],
  ['Retries refused', row => number(row.budgetExhausted), row => row.budgetExhausted > 0 ? 'warn' : ''],
]
const clientColumns = [...common,
  ['Endpoints', row => row.available + ' of ' + row.endpoints, row => row.available < row.endpoints ? 'bad' : ''],
  ['Load', row => number(row.load)],
  ['Connections', row => number(row.connections)],
  ['Removals', row => number(row.removals)],
  ['Requeues', row => number(row.requeues)],
]

const table = (title, rows, columns) => {
  const section = node('section')
  section.append(node('h3', '', title + (rows.length > shownRows ? ' (the busiest ' + shownRows + ' of ' + rows.length + ')' : '')))
  if (rows.length === 0) {
    section.append(node('p', 'facts', 'none yet'))
    return section
  }
  const head = node('tr')
  head.append(node('th', '', 'Name'), ...columns.map(([name]) => node('th', 'number', name)))
  const body = node('tbody')
  for (const row of rows.slice(0, shownRows)) {
    const line = node('tr')
    line.append(node('td', 'name', row.name))
    for (const [, text, colour] of columns) line.append(node('td', 'number ' + (colour ? colour(row) : ''), text(row)))
    body.append(line)
  }
  const thead = node('thead')
  thead.append(head)
  const all = node('table')
  all.append(thead, body)
  const scroll = node('div', 'scroll')
  scroll.append(all)
  section.append(scroll)
  return section
}

const tile = (value, label, className = '') => {
  const made = node('div', 'tile')
  made.append(node('b', className, value), node('span', '', label))
  return made
}

const showRouter = router => {
  const section = node('section')
  const tiles = node('div', 'tiles')
  tiles.append(
    tile(perSecond(router.perSecond), 'requests/s'),
    tile(rate(router.successRate), 'success', tone(router.successRate)),
    tile(ms(router.p50Ms), 'p50 ms'),
    tile(ms(router.p95Ms), 'p95 ms'),
    tile(ms(router.p99Ms), 'p99 ms'),
    tile(number(router.active), 'active'),
    tile(number(router.requests), 'requests'),
    tile(number(router.bindings), 'names bound'),
  )
  section.append(node('h2', '', 'Router ' + router.label), tiles)
  const failures = Object.entries(router.proxyFailures)
  if (failures.length > 0) {
    const list = failures.map(([stage, count]) => number(count) + ' at ' + stage).join(', ')
    section.append(node('p', 'facts', 'Answered by the proxy itself: ' + list))
  }
  section.append(
    table('Servers', router.servers, serverColumns),
    table('Services', router.services, serviceColumns),
    table('Clients', router.clients, clientColumns),
  )
  return section
}

const problem = document.getElementById('problem')
const facts = document.getElementById('facts')
const routers = document.getElementById('routers')

const scrolled = () => [...routers.querySelectorAll('.scroll')]

// Tables that were scrolled aside stay so.
const show = list => {
  const before = scrolled().map(({ scrollLeft }) => scrollLeft)
  routers.replaceChildren(...list.map(showRouter))
  scrolled().forEach((table, i) => { table.scrollLeft = before[i] || 0 })
}

const refresh = async () => {
  try {
    const { ready, ...summary } = await (await fetch('/summary.json')).json()
    const processes = summary.processes > 1 ? ', ' + summary.processes + ' processes' : ''
    facts.textContent = 'Up ' + duration(summary.uptimeMs) + processes
      + '. Rates and latencies are of the last one to two minutes; counts are since the start.'
    problem.hidden = ready.ready
    problem.textContent = ready.ready ? '' : 'Not ready: ' + ready.reasons
      .map(({ router, reason, problem }) => (router ? router + ': ' : '') + reason + (problem ? ' (' + problem + ')' : '')).join('; ')
    const selection = getSelection()
    if (selection === null || selection.isCollapsed) show(summary.routers)
  } catch (error) {
    problem.hidden = false
    problem.textContent = 'The proxy does not answer; what is shown is old. ' + error.message
  }
  setTimeout(refresh, document.hidden ? 10 * refreshMs : refreshMs)
}

refresh()
`
