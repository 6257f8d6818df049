import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { beginAccessLogs, openAccessLog } from '../../../proxy-client/telemetry/access-log.ts'
import { accessLogFields } from '../../../proxy-client/telemetry/access-log-config.ts'
import { accessLogLine } from '../../../proxy-client/telemetry/access-log-line.ts'
import { BufferedLog } from '../../../proxy-client/telemetry/buffered-log.ts'
import { type LogOutput, openFileOutput } from '../../../proxy-client/telemetry/log-output.ts'
import { silentLog } from '../../../runtime/log.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { recordWith } from './meter.fixture.ts'

function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'access-log-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const config = z.strictObject(accessLogFields)

describe('a line of the access log', () => {
  it('is the combined format with service, client, endpoint and latency behind it', () => {
    const line = accessLogLine(
      recordWith({
        method: 'POST',
        target: '/a?b=c',
        service: '/svc/web',
        client: '/#/web',
        endpoint: '10.0.0.1:80',
        requestId: '4f',
        referer: 'http://x/',
        userAgent: 'curl/8',
        bytesIn: 7,
      }),
    )
    expect(line).toBe(
      '10.0.0.9 - - [14/Nov/2023:22:13:20 +0000] "POST /a?b=c HTTP/1.1" 200 42 "http://x/" "curl/8" host="web" ' +
        'service="/svc/web" client="/#/web" endpoint=10.0.0.1:80 ms=12.345 in=7 attempts=1 result=success stage=- id="4f"\n',
    )
  })

  it('O2: has one line and as many fields whatever a client sends', () => {
    const evil = 'a" 200 1 "-" "x\r\n10.0.0.1 - - forged\u001b[2J\\\u00e9'
    const line = accessLogLine(
      recordWith({ target: evil, host: evil, userAgent: evil, referer: evil, requestId: evil }),
    )
    expect(line.match(/\n/g)).toHaveLength(1)
    expect(line).toMatch(/^[ -~]*\n$/)
    expect(line).toContain(
      '"GET a\\" 200 1 \\"-\\" \\"x\\x0d\\x0a10.0.0.1 - - forged\\x1b[2J\\\\\\xe9 HTTP/1.1" 200 42',
    )
  })
})

/** An output whose writes end when the test says so. */
class SlowOutput implements LogOutput {
  readonly written: string[] = []
  readonly #waiting: PromiseWithResolvers<void>[] = []
  isClosed = false

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(bytes).toString())
    const end = Promise.withResolvers<void>()
    this.#waiting.push(end)
    return end.promise
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  async end(error?: Error): Promise<void> {
    const next = this.#waiting.shift()
    if (error === undefined) next?.resolve()
    else next?.reject(error)
    await new Promise(setImmediate)
  }
}

function createSlowLog(maxWaiting: number) {
  const clock = new FakeClock()
  const output = new SlowOutput()
  const told: (string | undefined)[] = []
  const log = new BufferedLog({ output, clock, maxWaiting, onTrouble: error => told.push(error?.message) })
  return { clock, output, told, log }
}

describe('an access log on a slow disk', () => {
  it('writes lines together, one write at a time', async () => {
    const { clock, output, log } = createSlowLog(1_000)
    log.write('a\n')
    log.write('b\n')
    expect(output.written).toEqual([])
    clock.advance(200)
    log.write('c\n')
    clock.advance(1_000)
    expect(output.written).toEqual(['a\nb\n'])
    await output.end()
    clock.advance(200)
    expect(output.written).toEqual(['a\nb\n', 'c\n'])
  })

  it('lets lines gather again after each write, unless there are very many', async () => {
    const { clock, output, log } = createSlowLog(1_000_000)
    log.write('a\n')
    clock.advance(200)
    log.write('b\n')
    await output.end()
    expect(output.written).toEqual(['a\n'])
    clock.advance(199)
    expect(output.written).toEqual(['a\n'])
    clock.advance(1)
    expect(output.written).toEqual(['a\n', 'b\n'])
    await output.end()
    log.write('c'.repeat(131_072))
    expect(output.written).toHaveLength(3)
    log.write('d'.repeat(131_072))
    await output.end()
    expect(output.written).toHaveLength(4)
  })

  it('drops and counts what does not fit into its bounded memory', async () => {
    const { clock, output, log } = createSlowLog(10)
    log.write('first\n')
    clock.advance(200)
    for (let i = 0; i < 5; i++) log.write('1234\n')
    expect(log.dropped).toBe(3)
    await output.end()
    clock.advance(200)
    expect(output.written).toEqual(['first\n', '1234\n1234\n'])
  })

  it('tells once when writing fails and once when it works again, and counts what was lost', async () => {
    const { clock, output, told, log } = createSlowLog(1_000)
    for (const error of [new Error('disk full'), new Error('disk full'), undefined]) {
      log.write('a\n')
      clock.advance(200)
      await output.end(error)
    }
    expect(told).toEqual(['disk full', undefined])
    expect(log.dropped).toBe(2)
  })

  it('is written to the end before it closes', async () => {
    const { output, log, clock } = createSlowLog(1_000)
    log.write('last\n')
    const closed = log.close()
    await output.end()
    await closed
    expect([output.written, output.isClosed, clock.waiting]).toEqual([['last\n'], true, 0])
  })

  it('gives up at its close when nobody takes the last lines', async () => {
    const { told, log, clock } = createSlowLog(1_000)
    log.write('last\n')
    const closed = log.close()
    clock.advance(2_000)
    await closed
    expect(told).toEqual(['the last lines were not taken in time'])
  })
})

describe('an access log on standard output', () => {
  it('never keeps the process from ending because nobody reads it, be it a socket or a pipe', async () => {
    const folder = temporaryDirectory()
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const pipe = openSync(join(folder, 'pipe'), 'r+')
    onTestFinished(() => closeSync(pipe))
    const script = join(folder, 'writer.ts')
    writeFileSync(script, writer)
    const endsWith = async (stdout: 'pipe' | number, isRead = false): Promise<unknown> => {
      const child = spawn(process.execPath, [script, isRead ? '10000' : '200'], {
        stdio: ['ignore', stdout, 'inherit'],
      })
      if (isRead) child.stdout?.resume()
      const tooLong = setTimeout(() => child.kill('SIGKILL'), 4_000)
      const [code] = await once(child, 'exit')
      clearTimeout(tooLong)
      return code
    }
    const ended = await Promise.all([endsWith('pipe'), endsWith(pipe), endsWith('pipe', true)])
    expect(ended).toEqual([waitedInVain, waitedInVain, everythingWritten])
  })
})

const [waitedInVain, everythingWritten] = [10, 11]
const writer = `
  import { createStdoutOutput } from '${new URL('../../../proxy-client/telemetry/log-output.ts', import.meta.url)}'
  import { systemClock } from '${new URL('../../../watch/clock.ts', import.meta.url)}'
  void createStdoutOutput(systemClock).write(Buffer.alloc(1_000_000)).then(() => process.exit(${everythingWritten}))
  setTimeout(() => process.exit(${waitedInVain}), Number(process.argv[2]))`

describe('the file of an access log', () => {
  it('is appended to, or emptied at the start', async () => {
    const path = join(temporaryDirectory(), 'access.log')
    writeFileSync(path, 'old\n')
    for (const append of [true, false]) {
      const output = await openFileOutput({ path, append, rollBytes: undefined, keep: -1, clock: new FakeClock() })
      await output.write(Buffer.from('new\n'))
      await output.close()
      expect(readFileSync(path, 'utf8')).toBe(append ? 'old\nnew\n' : 'new\n')
    }
  })

  it('is made anew when another program has moved it', async () => {
    const path = join(temporaryDirectory(), 'access.log')
    const output = await openFileOutput({ path, append: true, rollBytes: undefined, keep: -1, clock: new FakeClock() })
    await output.write(Buffer.from('a\n'))
    renameSync(path, `${path}.1`)
    await output.write(Buffer.from('b\n'))
    await output.close()
    expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['a\n', 'b\n'])
  })

  it('is set aside at its size, and only so many old ones are kept', async () => {
    const dir = temporaryDirectory()
    const clock = new FakeClock()
    const output = await openFileOutput({ path: join(dir, 'access.log'), append: true, rollBytes: 10, keep: 2, clock })
    for (const text of ['111111\n', '222222\n', '333333\n', '444444\n']) await output.write(Buffer.from(text))
    clock.advance(1_000)
    await output.write(Buffer.from('555555\n'))
    await output.close()
    const shown = readdirSync(dir)
      .toSorted()
      .map(name => [name, readFileSync(join(dir, name), 'utf8')])
    expect(shown).toEqual([
      ['access.log', '555555\n'],
      ['access.log-20231114T221320.000002', '333333\n'],
      ['access.log-20231114T221321', '444444\n'],
    ])
  })

  it('is set aside once whichever of several processes comes first, and never over another', async () => {
    const dir = temporaryDirectory()
    const path = join(dir, 'access.log')
    const options = { path, append: true, rollBytes: 10, keep: -1, clock: new FakeClock() }
    const outputs = await Promise.all(Array.from({ length: 4 }, () => openFileOutput(options)))
    const lines = Array.from({ length: 40 }, (_, i) => `line ${String(i).padStart(3, '0')}\n`)
    for (let i = 0; i < lines.length; i += outputs.length)
      await Promise.all(outputs.map((output, j) => output.write(Buffer.from(lines[i + j] ?? ''))))
    await Promise.all(outputs.map(output => output.close()))
    const kept = readdirSync(dir).flatMap(name => readFileSync(join(dir, name), 'utf8').match(/.+\n/g) ?? [])
    expect(kept.toSorted()).toEqual(lines)
  })

  it('is emptied once at the start of several processes, and not again by one that comes later', async () => {
    const path = join(temporaryDirectory(), 'access.log')
    writeFileSync(path, 'old\n')
    const router = config.parse({ httpAccessLog: path, httpAccessLogAppend: false })
    const clock = new FakeClock()
    const [told = router] = await beginAccessLogs([router], clock)
    expect(readFileSync(path, 'utf8')).toBe('')
    for (const line of ['a\n', 'b\n']) {
      const output = await openFileOutput({
        path,
        append: told.httpAccessLogAppend,
        rollBytes: undefined,
        keep: -1,
        clock,
      })
      await output.write(Buffer.from(line))
      await output.close()
    }
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n')
  })

  it('that cannot be opened is said at the start, with its name', async () => {
    const path = join(temporaryDirectory(), 'none', 'access.log')
    const opening = openAccessLog(config.parse({ httpAccessLog: path }), { clock: new FakeClock(), log: silentLog })
    await expect(opening).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`the access log ${path} cannot be opened: ENOENT`),
    })
  })
})

describe('the roll policy of an access log', () => {
  it.each([
    ['never', undefined],
    ['sighup', undefined],
    ['1.byte', 1],
    ['20.megabytes', 20 * 1024 * 1024],
    ['1.gigabyte', 1024 ** 3],
  ])('%s is %s bytes', (text, bytes) => {
    expect(config.parse({ httpAccessLogRollPolicy: text }).httpAccessLogRollPolicy).toBe(bytes)
  })

  it('says what may be written in place of what we lack', () => {
    expect(config.safeParse({ httpAccessLogRollPolicy: 'daily' }).error?.issues[0]?.message).toMatch(
      /^write never, sighup, or a size such as 100.megabytes/,
    )
  })
})
