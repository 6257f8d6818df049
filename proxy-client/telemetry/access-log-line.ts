// One line of an access log: the combined format that tools know, then ours as key=value. Nothing that a client sent can end
// a field or a line.
import type { RequestRecord } from './stats.ts'
import { isoTime } from './time-text.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** With its line break. */
export function accessLogLine(record: RequestRecord): string {
  const { from, startedAt, ms, method, target, minor, status, bytesOut, bytesIn, attempts } = record
  const address = from.slice(0, from.lastIndexOf(':')) || '-'
  return (
    `${address} - - [${logTime(startedAt + ms)}] ${quoted(`${method} ${target} HTTP/1.${minor}`)} ${status} ${bytesOut} ` +
    `${quoted(record.referer)} ${quoted(record.userAgent)} host=${quoted(record.host)} service=${quoted(record.service)} ` +
    `client=${quoted(record.client)} endpoint=${record.endpoint ?? '-'} ms=${ms.toFixed(3)} in=${bytesIn} ` +
    `attempts=${attempts} result=${record.result} stage=${record.failedAt ?? '-'} id=${quoted(record.requestId)}\n`
  )
}

const plain = /^[ !#-[\]-~]*$/
const unsafe = /[^ !#-[\]-~]/g

function quoted(text = '-'): string {
  return plain.test(text) ? `"${text}"` : `"${text.replace(unsafe, escaped)}"`
}

/** As other servers write it: `\"`, `\\`, `\x0a`. */
function escaped(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`
  return [...Buffer.from(char, char > '\u00ff' ? 'utf8' : 'latin1')]
    .map(byte => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('')
}

let lastSecond = Number.NaN
let lastTime = ''

/** `21/Nov/2026:19:55:00 +0000`, made once a second. */
function logTime(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second === lastSecond) return lastTime
  const at = isoTime(second * 1000)
  lastSecond = second
  lastTime = `${at.slice(8, 10)}/${months[Number(at.slice(5, 7)) - 1]}/${at.slice(0, 4)}:${at.slice(11, 19)} +0000`
  return lastTime
}
