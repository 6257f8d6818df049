// Heads as people with kubectl put, spoil and remove them, through the API and as its administrator.
import { headName } from '../../../storage/configmap/object-names.ts'
import type { KubernetesApi } from '../kubernetes-api.fixture.ts'
import { corePath } from '../kubernetes-objects.fixture.ts'

export class HeadsByHand {
  readonly #api: KubernetesApi
  readonly #path: string
  #edits = 0

  constructor(api: KubernetesApi, place: string) {
    this.#api = api
    this.#path = corePath(place, 'configmaps')
  }

  /** As kubectl does: text under data, anything else under binaryData. */
  async put(namespace: string, content: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(content)
    const text = bytes.toString('utf8')
    const isText = Buffer.from(text).equals(bytes)
    const data = { namespace, dtab: isText ? text : null }
    const binaryData = { dtab: isText ? null : bytes.toString('base64') }
    // The API server takes no notice of a change that changes nothing; kubectl notes something at each.
    const annotations = { edit: String(++this.#edits) }
    try {
      await this.#api.patch(this.#at(namespace), { metadata: { annotations }, data, binaryData })
    } catch (error) {
      if (!String(error).includes('answered 404')) throw error
      const metadata = { name: headName(namespace), labels: { 'nameplane.io/dtab': 'head' }, annotations }
      const contents = isText ? { data } : { data: { namespace }, binaryData }
      await this.#api.create(this.#path, { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...contents })
    }
  }

  async remove(namespace: string): Promise<void> {
    await this.#api.delete(this.#at(namespace))
  }

  /** Leaves the text alone. */
  async removeAnnotations(namespace: string): Promise<void> {
    await this.#api.patch(this.#at(namespace), { metadata: { annotations: null } })
  }

  #at(namespace: string): string {
    return `${this.#path}/${headName(namespace)}`
  }
}
