// The services of a router, one for each logical name that is bound now, whatever the local dtabs of its bindings.
import type { Path } from '../../naming/path.ts'
import { Service, type ServiceParts } from './service.ts'

export interface ServiceTableOptions {
  readonly create: (path: Path, text: string) => ServiceParts
  /** Told of a name that no binding is left of. */
  readonly onRelease: (text: string) => void
}

export class ServiceTable {
  readonly #options: ServiceTableOptions
  readonly #services = new Map<string, Service>()

  constructor(options: ServiceTableOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#services.size
  }

  values(): Iterable<Service> {
    return this.#services.values()
  }

  /** The service of a name's text, for those who only look. */
  peek(text: string): Service | undefined {
    return this.#services.get(text)
  }

  /** The service of a name, held until it is given back by `release`. */
  acquire(path: Path, text: string): Service {
    let service = this.#services.get(text)
    if (service === undefined) {
      service = new Service(path, text, this.#options.create(path, text))
      this.#services.set(text, service)
    }
    service.users++
    return service
  }

  release(service: Service): void {
    service.users--
    if (service.users > 0) return
    this.#services.delete(service.text)
    this.#options.onRelease(service.text)
  }
}
