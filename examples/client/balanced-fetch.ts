// Requests by name from inside a program, balanced over the endpoints that the naming server knows, without a proxy between.
// node examples/client/balanced-fetch.ts [requests]; NAMEPLANE is the server's gRPC address.
import { createDispatcher, createNamingClient } from 'nameplane/client'
import { fetch } from 'undici'

const naming = createNamingClient({ addresses: [process.env.NAMEPLANE ?? '127.0.0.1:4321'] })
const dispatcher = createDispatcher({ naming, loadBalancer: { kind: 'ewma' } })

for (let i = Number(process.argv[2] ?? 10); i > 0; i--) {
  const response = await fetch('http://web/', { dispatcher })
  console.log(response.status, (await response.text()).trimEnd())
}

await dispatcher.close()
naming.close()
