// Requests to /api/1 as namerd reads them: the path is matched raw, without percent-decoding, only the query is decoded.

const root = '/api/1/'

export interface RawUrl {
  /** After `/api/1/`, as it was sent. */
  readonly path: string
  readonly query: URLSearchParams
}

/** Whether a URL belongs to namerd's API. */
export function isNamerdUrl(url: string): boolean {
  return url.startsWith(root)
}

/** For a URL under /api/1/ only. */
export function readRawUrl(url: string): RawUrl {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  return { path: path.slice(root.length), query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)) }
}

/** namerd's reading of a boolean parameter. */
export function isTrue(value: string | null): boolean {
  return value !== null && /^(true|t|1)$/i.test(value)
}
