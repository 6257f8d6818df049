// A method whose messages pass as bytes: they are encoded elsewhere, once for many streams. Knows no service.

const asIs = (bytes: Buffer): Buffer => bytes

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A method as grpc-js takes it; a stream in both directions, or one answer to one request. */
export function byteMethod<P extends string>(path: P, isStream: boolean) {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asBuffer,
    requestDeserialize: asIs,
    responseSerialize: asBuffer,
    responseDeserialize: asIs,
  } as const
}
