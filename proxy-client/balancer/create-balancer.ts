// Makes the balancer that a configuration asks for.
import { createAperture } from './aperture.ts'
import type { Balancer, BalancerOptions } from './balancer.ts'
import type { BalancerConfig } from './balancer-config.ts'
import { EndpointBalancer, type KindOptions } from './endpoint-balancer.ts'
import { createEwma } from './ewma.ts'
import { createHeap } from './heap.ts'
import { createP2c } from './p2c.ts'
import { PeakLatency } from './peak-latency.ts'
import { createRoundRobin } from './round-robin.ts'

/** Without endpoints until the first update. The caller closes it. */
export function createBalancer<T>(config: BalancerConfig, options: BalancerOptions<T>): Balancer<T> {
  const { enableProbation: isProbationEnabled } = config
  return new EndpointBalancer({ ...options, ...kindOptions(config, options), isProbationEnabled })
}

function kindOptions<T>(config: BalancerConfig, { random, clock }: BalancerOptions<T>): KindOptions<T> {
  switch (config.kind) {
    case 'p2c':
      return { createChooser: () => createP2c(random), maxEffort: config.maxEffort }
    case 'ewma': {
      const latency = new PeakLatency(config.decayTimeMs)
      return {
        createChooser: () => createEwma({ random, clock, latency }),
        maxEffort: config.maxEffort,
        latency,
      }
    }
    case 'aperture':
      return { createChooser: () => createAperture(config, random, clock), maxEffort: config.maxEffort }
    case 'heap':
      // It gives the same endpoint however often it is asked.
      return { createChooser: () => createHeap(), maxEffort: 1 }
    case 'roundRobin':
      return { createChooser: () => createRoundRobin(random), maxEffort: config.maxEffort }
  }
}
