// The stores through a server's API: durable writes beside etcd and Consul (`npm run backends`), and large stores.
import { runDurableWrites } from './storage/durable-writes.ts'
import { runLargeStores } from './storage/large-stores.ts'

/** Under two minutes on a quiet machine. */
export async function run(): Promise<void> {
  await runDurableWrites()
  console.log('')
  await runLargeStores()
}
