// Who changed an object last, by what the API server notes of every change.
import { fieldManager } from '../../clients/kubernetes/objects.ts'
import type { StoredObject } from './stored-object.ts'

/**
 * Whether somebody else may have changed the object after us: the server's times are whole seconds, and an object without
 * notes of us says nothing.
 */
export function wasTouched({ managedFields }: StoredObject): boolean {
  let ours = ''
  let others = ''
  for (const { manager, time } of managedFields) {
    const at = typeof time === 'string' ? time : ''
    if (manager !== fieldManager) others = at > others ? at : others
    else ours = at > ours ? at : ours
  }
  return ours === '' || others >= ours
}
