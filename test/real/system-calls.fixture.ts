// Reads what strace wrote: which bytes went to a file, when they were synchronised, and what was answered when.

/** Lines of the trace at which something began (a write) or was over (a synchronisation). */
export interface TracedCalls {
  /** Writes to the log: the line, and the bytes as strace shows them. */
  readonly logWrites: readonly { readonly line: number; readonly bytes: string }[]
  /** Lines at which a synchronisation of the log had succeeded. */
  readonly logSyncs: readonly number[]
  readonly answers: readonly { readonly line: number; readonly token: string }[]
}

const callStart = /^(\d+) +(\w+)\((\d+)<([^>]*)>(.*)$/
const callEnd = /^(\d+) +<\.\.\. (\w+) resumed>.*= (-?\d+)/

/** `trace` comes from `strace -f -y`; `log` is the path of the write-ahead log. */
export function readTrace(trace: string, log: string): TracedCalls {
  const logWrites: { line: number; bytes: string }[] = []
  const logSyncs: number[] = []
  const answers: { line: number; token: string }[] = []
  const unfinished = new Map<string, string>()
  for (const [line, text] of trace.split('\n').entries()) {
    const end = callEnd.exec(text)
    if (end !== null && unfinished.get(end[1] ?? '') === log && isSync(end[2]) && end[3] === '0') logSyncs.push(line)
    const start = callStart.exec(text)
    if (start === null) continue
    const [, thread = '', call = '', handle = '', file = '', rest = ''] = start
    unfinished.set(thread, file)
    if (isSync(call) && file === log && /\) += 0$/.test(rest)) logSyncs.push(line)
    if (call.startsWith('pwrite') && file === log) logWrites.push({ line, bytes: rest })
    const token = handle === '1' ? /answered (token-[\d-]+-end)/.exec(rest)?.[1] : undefined
    if (token !== undefined) answers.push({ line, token })
  }
  return { logWrites, logSyncs, answers }
}

function isSync(call: string | undefined): boolean {
  return call === 'fsync' || call === 'fdatasync'
}

/** The tokens that were answered before the log with them in it was synchronised. */
export function answeredTooEarly({ logWrites, logSyncs, answers }: TracedCalls): readonly string[] {
  return answers
    .filter(({ token, line }) => {
      const written = logWrites.find(({ bytes }) => bytes.includes(token))
      return written === undefined || !logSyncs.some(sync => sync > written.line && sync < line)
    })
    .map(({ token }) => token)
}
