// By what a process knows that it is a worker of a proxy. In a file of its own, for every start reads it.

/** Set in a worker's environment. */
export const workerVariable = 'NAMEPLANE_PROXY_WORKER'
