import { describeBalancer } from '../../contract/balancer.contract.ts'

for (const kind of ['p2c', 'ewma', 'aperture', 'heap', 'roundRobin']) describeBalancer({ kind })
