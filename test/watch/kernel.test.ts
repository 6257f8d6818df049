// The kernel under the laws' contract.
import { createKernel } from '../../watch/kernel.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { describeWatchLaws } from '../contract/watch.contract.ts'

describeWatchLaws('the kernel', { createKernel, runSourceLoop })
