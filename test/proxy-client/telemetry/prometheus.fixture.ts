// A strict reader of Prometheus' text form: what it does not take, a server of metrics would refuse.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$/
const labelPart = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/

/** Every sample; throws on a line that is none, a sample that stands twice, or a metric in two places. */
export function readPrometheus(text: string): readonly Sample[] {
  const samples = new Map<string, Sample>()
  const typed = new Set<string>()
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line)
    if (type !== null) {
      if (typed.has(type[1] ?? '')) throw new Error(`typed twice: ${line}`)
      typed.add(type[1] ?? '')
      continue
    }
    if (/^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* \S/.test(line)) continue
    const sample = readSample(line)
    const key = line.slice(0, line.lastIndexOf(' '))
    if (samples.has(key)) throw new Error(`twice: ${key}`)
    samples.set(key, sample)
  }
  return [...samples.values()]
}

function readSample(line: string): Sample {
  const [, name = '', inside = '', number = ''] = sampleLine.exec(line) ?? []
  if (name === '') throw new Error(`no sample: ${line}`)
  const labels: Record<string, string> = {}
  for (let rest = inside; rest !== ''; ) {
    const [whole, label = '', value = ''] = labelPart.exec(rest) ?? []
    if (whole === undefined || Object.hasOwn(labels, label)) throw new Error(`bad labels: ${line}`)
    labels[label] = value.replace(/\\([\\n"])/g, (_, char: string) => (char === 'n' ? '\n' : char))
    rest = rest.slice(whole.length)
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) }
}

/** The one sample of that name with these labels among others. */
export function sampleValue(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    sample => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  if (found.length > 1) throw new Error(`${name} has ${found.length} such samples`)
  return found[0]?.value
}
