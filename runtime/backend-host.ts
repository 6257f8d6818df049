// The host of a backend, as it stands in the configuration of a namer or a store.
import { isIP } from 'node:net'
import { z } from 'zod'

/** A host to reach a backend at; what else a URL has stands in keys of its own. */
export const backendHost = z
  .string()
  .refine(
    host => isIP(host) !== 0 || /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(host),
    'a host name or an IP address, such as localhost, without scheme, brackets or port; the port has a key of its own',
  )
