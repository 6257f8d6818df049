// Sources put together from what there is already: the kernel's reports, the configured namers and their guards.
import type { NamesQuery, Release, SourcePage, SourceSummary, Sources } from '../api/sources.ts'
import type { HeldName, Namer } from '../interpreters/namer.ts'
import { NamingError } from '../naming/errors.ts'
import { showPath } from '../naming/path.ts'
import { failure, type Result, success } from '../naming/result.ts'
import { hostsGroup } from '../runtime/hosts/hosts-file.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { storageGroup } from '../storage/store.ts'
import type { Kernel } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import { reportsByGroup, sourceId } from './source-groups.ts'
import { namesOf } from './source-names.ts'
import { type SourceFacts, type SourceIdentity, summaryOf } from './source-summary.ts'

export interface SourcesOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  /** With the name of each one's kind. */
  readonly namers: readonly { readonly kind: string; readonly namer: Namer }[]
  /** The name of the store's kind. */
  readonly storageKind: string
}

/** A source that is there whether or not anything is followed in it. */
interface Configured extends SourceIdentity {
  readonly group: string
  readonly guard?: Namer['guard']
}

/** The sources with their gauge. */
export function createSources(options: SourcesOptions & { readonly metrics: Metrics }): Sources {
  const sources = new OpenSources(options)
  options.metrics.gauge({
    name: 'source_degraded',
    help: '1 while a name of this source is stale or failed, held names included.',
    labels: ['source'],
    collectEach: () => sources.troubles().map(({ id, isDegraded }) => [{ source: id }, isDegraded ? 1 : 0]),
  })
  return sources
}

class OpenSources implements Sources {
  readonly #options: SourcesOptions
  readonly #configured: readonly Configured[]

  constructor(options: SourcesOptions) {
    this.#options = options
    this.#configured = configuredSources(options)
  }

  list(): readonly SourceSummary[] {
    return this.#all().map(([configured, facts]) => summaryOf(identityOf(configured), facts))
  }

  /** Of the configured sources only, which do not grow in number. */
  troubles(): readonly { readonly id: string; readonly isDegraded: boolean }[] {
    const groups = reportsByGroup(this.#options.kernel)
    return this.#configured.map(({ id, group }) => ({
      id,
      isDegraded: (groups.get(group) ?? []).some(({ state }) => state === 'stale' || state === 'failed'),
    }))
  }

  names(id: string, query: NamesQuery): Result<SourcePage> {
    const found = this.#find(id)
    if (!found.ok) return found
    const [configured, facts] = found.value
    const names = namesOf(facts, query)
    const page = names.slice(0, query.limit)
    const last = page.at(-1)
    return success({
      source: summaryOf(identityOf(configured), facts),
      names: page,
      ...(last !== undefined && names.length > query.limit && { next: last.name }),
    })
  }

  release(id: string, { author, message }: Release): Result<number> {
    const found = this.#find(id)
    if (!found.ok) return found
    const [{ guard, kind, id: source }] = found.value
    if (guard === undefined) return failure(withoutGuard(source, kind))
    const released = guard.release()
    const event =
      released > 0 ? 'held names were released by an operator' : 'nothing was held when a release was asked for'
    this.#options.log.info({ source, released, author, message }, event)
    return success(released)
  }

  #find(id: string): Result<readonly [Configured, SourceFacts]> {
    const all = this.#all()
    const found = all.find(([source]) => source.id === id || source.prefix === id)
    if (found !== undefined) return success(found)
    const ids = all.map(([source]) => source.id)
    const listed = ids.length === 0 ? 'there are none' : `there are ${ids.join(', ')}`
    const message = `There is no source '${id}': ${listed}.`
    return failure(new NamingError('source-not-found', message, { detail: { sources: ids } }))
  }

  #all(): readonly (readonly [Configured, SourceFacts])[] {
    const groups = reportsByGroup(this.#options.kernel)
    const now = this.#options.clock.now()
    const known = new Set(this.#configured.map(({ group }) => group))
    const others = [...groups.keys()].filter(group => !known.has(group)).sort()
    return [...this.#configured, ...others.map(group => ({ id: group, kind: 'other', group }))].map(
      (configured: Configured) => {
        const held: readonly HeldName[] | undefined = configured.guard?.held()
        return [configured, { reports: groups.get(configured.group) ?? [], now, ...(held && { held }) }]
      },
    )
  }
}

function configuredSources({ namers, storageKind }: SourcesOptions): readonly Configured[] {
  const configured = namers.map(({ kind, namer }): Configured => {
    const prefix = showPath(namer.prefix)
    return { id: sourceId(prefix), kind, prefix, group: prefix, ...(namer.guard && { guard: namer.guard }) }
  })
  const builtIn = [
    { group: storageGroup, kind: storageKind },
    { group: hostsGroup, kind: 'dns' },
  ].map(({ group, kind }): Configured => {
    const isTaken = configured.some(({ id }) => id === group)
    return { id: isTaken ? `/${group}` : group, kind, group }
  })
  return [...configured, ...builtIn]
}

function identityOf({ id, kind, prefix }: Configured): SourceIdentity {
  return { id, kind, ...(prefix !== undefined && { prefix }) }
}

function withoutGuard(id: string, kind: string): NamingError {
  const why = `The source '${id}' (${kind}) holds nothing back: it has no guard against mass loss, or massEmpty is off.`
  return new NamingError('source-without-guard', why)
}
