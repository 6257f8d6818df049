// Which statuses are counted one by one: those that are registered. Any other is counted with its class, so that an upstream
// that makes up statuses makes no series.

const registered = [
  100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400,
  401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425,
  426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
]

/** 1xx to 5xx; what is none of these counts as 5xx, for nobody can use it. */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** What each slot holds: a status, or `4xx` for the others of its class. */
export const slotNames: readonly string[] = [...statusClasses, ...registered.map(String)]

const slots = new Uint8Array(600)
for (let status = 0; status < slots.length; status++) {
  const found = registered.indexOf(status)
  slots[status] = found < 0 ? classOf(status) : statusClasses.length + found
}

/** The class as an index of `statusClasses`. */
export function classOf(status: number): number {
  const hundreds = (status / 100) | 0
  return hundreds >= 1 && hundreds <= 5 ? hundreds - 1 : 4
}

/** The slot of a status, whatever number it is. */
export function slotOf(status: number): number {
  return slots[status] ?? 4
}
