import { describe, expect, it } from 'vitest'
import { Member } from '../../../proxy-client/balancer/member.ts'
import { createP2c } from '../../../proxy-client/balancer/p2c.ts'
import { WeightClasses } from '../../../proxy-client/balancer/weight-classes.ts'
import { seededRandom } from '../seeded-random.fixture.ts'
import { endpoint } from './balancer.fixture.ts'

describe('weight classes', () => {
  it('forget a weight that nobody has any more', () => {
    const random = seededRandom(1)
    const classes = new WeightClasses<number>(random, () => createP2c(random))
    const [one, two] = [classes.of(1), classes.of(2)]
    const member = new Member(1, '10.0.0.1:1', endpoint(1, 1), { accrual: undefined, weightClass: one })
    classes.add(member)
    member.endpoint = endpoint(1, 2)
    classes.remove(member)
    classes.add(member)
    expect(classes.choose()).toBe(member)
    expect(classes.of(1)).not.toBe(one)
    expect(classes.of(2)).toBe(two)
  })
})
