// What a configuration may say of a balancer; linkerd's kinds, names and defaults.
import { z } from 'zod'

/** Keeps endpoints that left the set until they fail or nobody uses them. */
const enableProbation = z.boolean().default(false)
/** Draws, when they give only what is to be avoided, before every endpoint is looked at. */
const maxEffort = z.int().min(1).max(100).default(5)
const milliseconds = z.int().min(1).max(3_600_000)
const loadPerEndpoint = z.number().gt(0).max(1_000_000)

const p2c = z.strictObject({ kind: z.literal('p2c'), maxEffort, enableProbation })

const ewma = z.strictObject({
  kind: z.literal('ewma'),
  maxEffort,
  decayTimeMs: milliseconds.default(10_000),
  enableProbation,
})

const aperture = z
  .strictObject({
    kind: z.literal('aperture'),
    maxEffort,
    smoothWindowMs: milliseconds.default(5_000),
    lowLoad: loadPerEndpoint.default(0.5),
    highLoad: loadPerEndpoint.default(2),
    minAperture: z.int().min(1).max(1_000_000).default(1),
    enableProbation,
  })
  .refine(({ lowLoad, highLoad }) => lowLoad < highLoad, { path: ['highLoad'], error: 'highLoad is not above lowLoad' })

const heap = z.strictObject({ kind: z.literal('heap'), enableProbation })

const roundRobin = z.strictObject({ kind: z.literal('roundRobin'), maxEffort, enableProbation })

export const balancerConfig = z.discriminatedUnion('kind', [p2c, ewma, aperture, heap, roundRobin])

export type BalancerConfig = z.output<typeof balancerConfig>
/** The part of one kind. */
export type BalancerConfigOf<K extends BalancerConfig['kind']> = Extract<BalancerConfig, { readonly kind: K }>
