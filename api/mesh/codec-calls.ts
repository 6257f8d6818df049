// io.linkerd.mesh.Codec: paths and dtabs from text to structure and back, for clients without a parser.
import { status } from '@grpc/grpc-js'
import { emptyDtab } from '../../naming/dtab.ts'
import { parseDtab, parsePath } from '../../naming/parse.ts'
import { emptyPath, showPath } from '../../naming/path.ts'
import { type Result, success } from '../../naming/result.ts'
import { showDtab } from '../../naming/show.ts'
import { decodeDtab, decodePathReq, decodeText, encodeDtab, encodePath, encodeText } from '../../proto/mesh-messages.ts'
import { codecService, meshProtoFile, meshServiceName } from '../../proto/mesh-services.ts'
import type { GrpcService } from '../grpc/grpc-service.ts'
import { tooDeepToSend } from './mesh-frames.ts'
import { decodeRequest } from './mesh-requests.ts'
import { refuse, type UnaryAnswer, type UnaryCall } from './unary-call.ts'

/** A request is worked through in one turn of the event loop. */
const maxRequestBytes = 256 * 1024

export function createCodecCalls(): GrpcService {
  return {
    name: meshServiceName('Codec'),
    definition: codecService,
    protoFile: meshProtoFile('codec'),
    handlers: {
      ReadDtab: conversion(decodeText, text => (text === '' ? success(emptyDtab) : parseDtab(text)), encodeDtab),
      ShowDtab: conversion(decodeDtab, dtab => success(dtab === undefined ? '' : showDtab(dtab)), encodeText),
      ReadPath: conversion(decodeText, text => (text === '' ? success(emptyPath) : parsePath(text)), encodePath),
      ShowPath: conversion(decodePathReq, path => success(path === undefined ? '' : showPath(path)), encodeText),
    },
  }
}

function conversion<A, B>(
  decode: (bytes: Uint8Array) => A,
  convert: (value: A) => Result<B>,
  encode: (value: B) => Buffer,
): (call: UnaryCall, answer: UnaryAnswer) => void {
  return ({ request }, answer) => {
    const decoded = decodeRequest(request, decode, maxRequestBytes)
    const converted = decoded.ok ? convert(decoded.value) : decoded
    if (converted.ok) send(answer, () => encode(converted.value))
    else refuse(answer, converted.error)
  }
}

function send(answer: UnaryAnswer, encode: () => Buffer): void {
  let message: Buffer
  try {
    message = encode()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    answer({ code: status.INTERNAL, details: tooDeepToSend })
    return
  }
  answer(null, message)
}
