// DNS that a test rules: every host has the answer that was set for it, or does not exist.
import type { HostAnswer, HostResolver } from '../../runtime/hosts/resolver.ts'

export class FakeHostResolver implements HostResolver {
  /** Hosts asked for, in order. */
  readonly asked: string[] = []
  readonly #answers = new Map<string, HostAnswer | Error>()
  isClosed = false

  /** What every further question for the host gets; without addresses there is no such host. */
  set(host: string, answer: HostAnswer | Error): void {
    this.#answers.set(host, answer)
  }

  async resolve(host: string): Promise<HostAnswer> {
    this.asked.push(host)
    const answer = this.#answers.get(host) ?? { addresses: [], ttlSeconds: 0 }
    if (answer instanceof Error) throw answer
    return answer
  }

  close(): void {
    this.isClosed = true
  }
}
