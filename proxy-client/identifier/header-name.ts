// How the configuration writes a header's name.
import { z } from 'zod'

/** A header field's name, as RFC 9110 allows it. */
export const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'not a header name')
