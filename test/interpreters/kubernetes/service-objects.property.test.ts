// Names that come and go at random while watches widen, narrow and fail midway: nobody is told what never was, or is old
// without being told of a failure, and once all is healed everybody knows the truth, by the watches that there should be.
import { describe, expect, it } from 'vitest'
import { ServiceObjects } from '../../../interpreters/kubernetes/service-objects.ts'
import { TurnQueue } from '../../../watch/turn-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeCluster } from '../../fakes/kubernetes-cluster.fake.ts'
import { seededRandom } from '../../proxy-client/seeded-random.fixture.ts'
import { sliceOf } from './objects.fixture.ts'

const path = '/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices'
const label = 'kubernetes.io/service-name'
const names = Array.from({ length: 16 }, (_, i) => `s${i}`)

interface Record {
  readonly service: string
  readonly generation: string
}

/** What is kept of a slice. */
function stripGeneration(object: unknown): Record {
  const { metadata } = object as ReturnType<typeof sliceOf> // The fake's own objects.
  return { service: metadata.labels?.[label] ?? '', generation: metadata.labels?.generation ?? '' }
}

function show(objects: ReadonlyMap<string, Record>): string {
  return [...objects].map(([key, { generation }]) => `${key}@${generation}`).join()
}

/** One service: what the API server has and had, and who follows it. */
class Followed {
  told: string | undefined
  isFailing = false
  leave: (() => void) | undefined
  /** What it was since all was quiet. */
  readonly truths = new Set<string>()
}

class Play {
  readonly #clock = new FakeClock()
  readonly #cluster = new FakeCluster(this.#clock)
  readonly #draw: (below: number) => number
  readonly #services = new Map(names.map(name => [name, new Followed()]))
  readonly #truth = new Map<string, string>()
  readonly #objects: ServiceObjects<Record>
  #generation = 0
  readonly wrong: string[] = []

  constructor(seed: number) {
    const random = seededRandom(seed)
    this.#draw = below => Math.floor(random() * below)
    this.#objects = new ServiceObjects<Record>({
      cluster: this.#cluster,
      turns: new TurnQueue(this.#clock),
      collectionOf: service => ({
        path,
        labelSelector: service === undefined ? label : `${label}=${service}`,
        strip: stripGeneration,
        maxObjects: 1_000,
      }),
    })
  }

  /** Now most come, now most go, so that the watches widen and narrow; what is refused stays so for long. */
  step(number: number): void {
    const name = names[this.#draw(names.length)] ?? 's0'
    const kind = this.#draw(17)
    const mostCome = number % 100 < 50
    if (kind < 7) mostCome ? this.#follow(name) : this.#leave(name)
    else if (kind < 8) mostCome ? this.#leave(name) : this.#follow(name)
    else if (kind < 11) this.#put(name)
    else if (kind < 12) this.#remove(name)
    else if (kind < 14) this.#cluster.refuse(`=${name}`, 500)
    else if (kind < 15) this.#cluster.allow(`=${name}`)
    else if (kind < 16) this.#draw(4) === 0 ? this.#cluster.refuse(path, 500) : this.#cluster.allow(path)
    else this.#cluster.bookmark()
    for (let turns = this.#draw(3); turns > 0; turns--) this.#clock.turn()
  }

  /** Once all that is under way has come, whoever is not told of a failure knows the truth. */
  pause(): void {
    this.#clock.settle()
    for (const [name, { told, isFailing, leave }] of this.#services) {
      if (leave !== undefined && !isFailing && told !== this.#truthOf(name)) this.wrong.push(`${name} is old: ${told}`)
    }
  }

  /** Heals all, lets it settle and compares. */
  settle(): void {
    this.#heal()
    this.#clock.settle()
    const followed = [...this.#services].filter(([, { leave }]) => leave !== undefined)
    for (const [name, { told, isFailing }] of followed) {
      if (isFailing || told !== this.#truthOf(name)) this.wrong.push(`${name}: ${told}, failing: ${isFailing}`)
    }
    const { open } = this.#cluster
    const own = followed.map(([name]) => `${path} ${label}=${name}`).sort()
    const isOwn = [...open].sort().join() === own.join()
    const isWide = open.join() === `${path} ${label}` && this.#objects.isWide
    if (own.length > 10 ? !isWide : own.length > 5 ? !isOwn && !isWide : !isOwn) this.wrong.push(`open: ${open.join()}`)
    for (const [name, { truths }] of this.#services) {
      truths.clear()
      truths.add(this.#truthOf(name))
    }
  }

  leaveAll(): number {
    for (const name of names) this.#leave(name)
    this.#clock.settle()
    return this.#cluster.open.length + this.#clock.waiting
  }

  #heal(): void {
    for (const part of [path, ...names.map(name => `=${name}`)]) this.#cluster.allow(part)
  }

  #truthOf(name: string): string {
    return this.#truth.get(name) ?? ''
  }

  #follow(name: string): void {
    const followed = this.#services.get(name)
    if (followed === undefined || followed.leave !== undefined) return
    followed.told = undefined
    followed.isFailing = false
    followed.leave = this.#objects.follow(name, {
      changed: objects => {
        followed.told = show(objects)
        followed.isFailing = false
        if (!followed.truths.has(followed.told)) this.wrong.push(`${name} was told ${followed.told}, which never was`)
      },
      contact: () => {
        followed.isFailing = false
      },
      failed: () => {
        followed.isFailing = true
      },
    })
  }

  #leave(name: string): void {
    const followed = this.#services.get(name)
    followed?.leave?.()
    if (followed !== undefined) followed.leave = undefined
  }

  #put(name: string): void {
    const generation = `${++this.#generation}`
    this.#change(name, `prod/${name}-1@${generation}`)
    this.#cluster.put(sliceOf({ name: `${name}-1`, service: name, labels: { generation } }))
  }

  #remove(name: string): void {
    this.#change(name, '')
    this.#cluster.remove('EndpointSlice', 'prod', `${name}-1`)
  }

  #change(name: string, truth: string): void {
    this.#truth.set(name, truth)
    this.#services.get(name)?.truths.add(truth)
  }
}

describe('the watches of a Kubernetes namespace', () => {
  it.each([1, 2, 3, 4])('tell each follower the truth through 2,000 random steps, seed %i', seed => {
    const play = new Play(seed)
    play.settle()
    for (let step = 1; step <= 2_000 && play.wrong.length === 0; step++) {
      play.step(step)
      if (step % 7 === 0) play.pause()
      if (step % 130 === 0) play.settle()
    }
    expect(play.wrong).toEqual([])
    expect(play.leaveAll()).toBe(0)
  })
})
