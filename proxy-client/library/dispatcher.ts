// An undici dispatcher whose origins are names: `http://web/` goes to an endpoint of /svc/web, without a proxy between.
import { Dispatcher, Pool } from 'undici'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { systemRandom } from '../../watch/clock.ts'
import { IdleCache } from '../cache/idle-cache.ts'
import { showEndpoint } from '../endpoint-address.ts'
import { type BalancingOptions, balancersOf } from './balancing.ts'
import { LeafBalancers } from './leaf-balancers.ts'
import { NameBalancer } from './name-balancer.ts'
import { insideOf, type NamingClient } from './naming-client.ts'
import { RelayHandler } from './relay-handler.ts'
import { headerOf, withHeaders } from './request-headers.ts'

export interface DispatcherOptions extends BalancingOptions {
  /** Whose names are meant; it is not closed with the dispatcher. */
  readonly naming: NamingClient
  /** The name of an origin's host, such as `web`, lower-cased and without its port; `/svc/<host>` when absent. */
  readonly identify?: (host: string) => string
  readonly namespace?: string
  /** Text of a local dtab for every request. A request's own header `l5d-dtab` comes after it and so wins. */
  readonly dtab?: string
  /** How long a request waits for a name that is not known yet, in milliseconds; 10,000 when absent. */
  readonly bindingTimeoutMs?: number
  /** Names kept at most, and how long an unused one stays; 1,000 and 600,000 when absent. */
  readonly maxNames?: number
  readonly idleMs?: number
  /** Of the pool of each endpoint. */
  readonly pool?: Pool.Options
}

/** Endpoints that one request tries at most when they refuse connections. */
const maxTries = 10
const ownDtab = 'l5d-dtab'
const contextDtab = 'l5d-ctx-dtab'
const replacedHeaders = new Set(['host', ownDtab, contextDtab])

const limits = z.object({
  bindingTimeoutMs: z.number().min(0).default(10_000),
  maxNames: z.int().min(1).default(1_000),
  idleMs: z.number().min(1).default(600_000),
})

/**
 * Balances over the endpoints of names. Close it, and then the naming client. Throws a ZodError that names each option that
 * is wrong.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new NameDispatcher(options)
}

type Options = Dispatcher.DispatchOptions

class NameDispatcher extends Dispatcher {
  readonly #options: DispatcherOptions
  readonly #bindingTimeoutMs: number
  readonly #leaves: LeafBalancers<Pool>
  readonly #names: IdleCache<NameBalancer<Pool>>
  /** Open, or closing while requests end. */
  readonly #pools = new Set<Pool>()
  #isClosed = false

  constructor(options: DispatcherOptions) {
    super()
    const { bindingTimeoutMs, maxNames, idleMs } = limits.parse(options)
    const { resolver, clock } = insideOf(options.naming)
    this.#bindingTimeoutMs = bindingTimeoutMs
    this.#options = options
    const create = balancersOf<Pool>(options, clock, {
      open: endpoint => this.#openPool(showEndpoint(endpoint)),
      close: pool => this.#closePool(pool),
    })
    this.#leaves = new LeafBalancers(id => resolver.replicas(id), create)
    this.#names = new IdleCache({
      clock,
      max: maxNames,
      idleMs,
      isInUse: balancer => balancer.isAwaited,
      dispose: balancer => balancer.close(),
    })
  }

  override dispatch(request: Options, handler: Dispatcher.DispatchHandler): boolean {
    if (typeof handler !== 'object' || handler === null) throw new TypeError('A dispatch needs a handler.')
    try {
      const { balancer, addressed } = this.#address(request)
      void this.#send(balancer, addressed, handler)
    } catch (error) {
      refuse(handler, error)
    }
    return true
  }

  /** Requests in progress end first. */
  override close(): Promise<void>
  override close(callback: () => void): void
  override close(callback?: () => void): Promise<void> | undefined {
    return answer(
      this.#end(pool => pool.close()),
      callback,
    )
  }

  /** Cuts what is in progress. */
  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> & undefined {
    const [reason, done] = typeof error === 'function' ? [null, error] : [error ?? null, callback]
    return answer(
      this.#end(pool => pool.destroy(reason)),
      done,
    ) as Promise<void> & undefined // undici's overloads ask for both
  }

  /** The name, with its own dtab, that a request is for, and the request with the headers that go with it. */
  #address(request: Options): { readonly balancer: NameBalancer<Pool>; readonly addressed: Options } {
    if (this.#isClosed) throw new NamingError('unavailable', 'The dispatcher is closed.')
    const { identify = (host: string) => `/svc/${host}` } = this.#options
    const origin = new URL(String(request.origin))
    if (origin.protocol !== 'http:')
      throw new NamingError('bad-request', `Only http: is balanced, not ${origin.protocol}`)
    const dtab = this.#dtabOf(request)
    const added = {
      host: headerOf(request.headers, 'host') ?? origin.host,
      ...(dtab !== '' && { [contextDtab]: dtab }),
    }
    const { origin: _, ...rest } = request
    const addressed = { ...rest, headers: withHeaders(request.headers, replacedHeaders, added) }
    return { balancer: this.#balancer(identify(origin.hostname.toLowerCase()), dtab), addressed }
  }

  /** The rules of the chain of calls, then ours, then the request's own: the last win. */
  #dtabOf({ headers }: Options): string {
    const texts = [headerOf(headers, contextDtab), this.#options.dtab, headerOf(headers, ownDtab)]
    return texts
      .map(text => withoutEnd(text ?? ''))
      .filter(text => text !== '')
      .join(';')
  }

  #balancer(name: string, dtab: string): NameBalancer<Pool> {
    const key = `${name} ${dtab}`
    const known = this.#names.get(key) ?? this.#names.add(key, () => this.#createBalancer(name, dtab))
    if (known === undefined) throw new NamingError('unavailable', 'Too many new names are being bound at this moment.')
    return known
  }

  #createBalancer(name: string, dtab: string): NameBalancer<Pool> {
    const { naming, namespace } = this.#options
    const where = { ...(namespace !== undefined && { namespace }), ...(dtab !== '' && { dtab }) }
    const tree = naming.bind(name, where)
    return new NameBalancer({ name, tree, leaves: this.#leaves, naming: insideOf(naming), random: systemRandom })
  }

  /** Never rejects. */
  async #send(balancer: NameBalancer<Pool>, request: Options, handler: Dispatcher.DispatchHandler): Promise<void> {
    try {
      const first = balancer.tryPick()
      const picked =
        first.kind === 'picked' ? first.picked : await balancer.pick(this.#bindingTimeoutMs, signalOf(request))
      const tried: Pool[] = []
      const attempt = ({ target, ...rest }: typeof picked): void => {
        tried.push(target)
        const relay = new RelayHandler(handler, { target, ...rest }, (controller, error) => {
          const next = tried.length < maxTries && !this.#isClosed ? balancer.tryPick(tried) : undefined
          if (next?.kind === 'picked') attempt(next.picked)
          else handler.onResponseError?.(controller, error)
        })
        target.dispatch(request, relay)
      }
      attempt(picked)
    } catch (error) {
      refuse(handler, error)
    }
  }

  #openPool(address: string): Pool {
    const pool = new Pool(`http://${address}`, this.#options.pool)
    this.#pools.add(pool)
    return pool
  }

  #closePool(pool: Pool): void {
    void pool.close().finally(() => this.#pools.delete(pool))
  }

  async #end(end: (pool: Pool) => Promise<void>): Promise<void> {
    this.#isClosed = true
    const pools = [...this.#pools]
    this.#names.close()
    await Promise.all(pools.map(end))
  }
}

/** undici passes on what its caller gave, though its type does not say so. */
function signalOf(request: Options): AbortSignal | undefined {
  return 'signal' in request && request.signal instanceof AbortSignal ? request.signal : undefined
}

const ends: ReadonlySet<string | undefined> = new Set([';', ' ', '\t', '\r', '\n'])

/** Without what may stand after the last rule. Not a pattern, which takes the square of what a stranger wrote in the middle. */
function withoutEnd(dtab: string): string {
  let end = dtab.length
  while (ends.has(dtab[end - 1])) end--
  return dtab.slice(0, end)
}

/** Tells a handler of a request that was never begun. */
function refuse(handler: Dispatcher.DispatchHandler, error: unknown): void {
  const reason = error instanceof Error ? error : new Error(String(error))
  const controller = { aborted: true, paused: false, reason, abort: () => {}, pause: () => {}, resume: () => {} }
  handler.onResponseError?.(controller, reason)
}

function answer(done: Promise<void>, callback: (() => void) | undefined): Promise<void> | undefined {
  if (callback === undefined) return done
  void done.then(callback)
  return undefined
}
