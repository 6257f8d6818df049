// How many processes share the ports of a proxy.
import { z } from 'zod'

/** 0: all in one process. N: that many beside the one that was started, which then only watches over them. */
export const workersConfig = z.int().min(0).max(1_024).default(0)
