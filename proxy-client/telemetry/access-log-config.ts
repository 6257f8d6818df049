// The keys of a router that say where its access log goes, with linkerd's names. Spread into the router's strict object.
import { z } from 'zod'

const units: Readonly<Record<string, number>> = { byte: 1, kilobyte: 1024, megabyte: 1024 ** 2, gigabyte: 1024 ** 3 }
const sizeText = /^([1-9][0-9]{0,11})\.(byte|kilobyte|megabyte|gigabyte)s?$/

/** Bytes after which the file is set aside and a new one begun; `never` and `sighup` leave that to others: a file that is moved is made anew. */
const rollPolicy = z
  .string()
  .regex(/^never$|^sighup$|^[1-9][0-9]{0,11}\.(?:byte|kilobyte|megabyte|gigabyte)s?$/, {
    error:
      'write never, sighup, or a size such as 100.megabytes; a file that another program moves is made anew in any case',
    abort: true,
  })
  .transform(text => {
    const [, count = '', unit = ''] = sizeText.exec(text) ?? []
    return count === '' ? undefined : Number(count) * (units[unit] ?? 1)
  })

/** Fields of a router. */
export const accessLogFields = {
  /** A file, or `stdout`; absent for none. */
  httpAccessLog: z.string().min(1).max(4_096).optional(),
  httpAccessLogRollPolicy: rollPolicy.prefault('never'),
  /** Whether a file that is there is written on, or emptied. */
  httpAccessLogAppend: z.boolean().default(true),
  /** Files set aside that are kept; -1 for all. */
  httpAccessLogRotateCount: z.int().min(-1).max(10_000).default(-1),
}

const accessLog = z.object(accessLogFields)

export type AccessLogConfig = z.output<typeof accessLog>
