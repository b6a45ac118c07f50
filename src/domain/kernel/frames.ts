/** Frames of a supervisor's channel as bytes: see `FrameType` for their layout. */
import type { ProcessIdentity } from "./InitOp.ts"
import { type ExitStatus, type Frame, FrameType, framePayloadLimit } from "./Supervisor.ts"

const header = 8

/** One frame, or several for a payload above the limit. */
export const encodeFrame = (type: number, payload: Uint8Array): Uint8Array => {
  const pieces = Math.max(1, Math.ceil(payload.length / framePayloadLimit))
  const bytes = new Uint8Array(payload.length + pieces * header)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (let piece = 0; piece < pieces; piece++) {
    const part = payload.subarray(piece * framePayloadLimit, (piece + 1) * framePayloadLimit)
    bytes[at] = type
    view.setUint32(at + 4, part.length)
    bytes.set(part, at + header)
    at += header + part.length
  }
  return bytes
}

const empty = new Uint8Array(0)

export const stdinFrame = (data: Uint8Array): Uint8Array => encodeFrame(FrameType.stdin, data)
export const stdinEndFrame: Uint8Array = encodeFrame(FrameType.stdinEnd, empty)

export const resizeFrame = (rows: number, columns: number): Uint8Array => {
  const payload = new Uint8Array(4)
  const view = new DataView(payload.buffer)
  view.setUint16(0, rows, true)
  view.setUint16(2, columns, true)
  return encodeFrame(FrameType.resize, payload)
}

export const attachFrame = (flags: number): Uint8Array => encodeFrame(FrameType.attach, Uint8Array.of(flags))

const identity = (view: DataView): ProcessIdentity => ({
  pid: view.getUint32(0, true), startTime: Number(view.getBigUint64(4, true))
})

export const startedFrame = (process: ProcessIdentity): Uint8Array => {
  const payload = new Uint8Array(12)
  const view = new DataView(payload.buffer)
  view.setUint32(0, process.pid, true)
  view.setBigUint64(4, BigInt(process.startTime), true)
  return encodeFrame(FrameType.started, payload)
}

export const failedFrame = (
  failed: { readonly operation: number; readonly errno: number; readonly syscall: string; readonly path: string }
): Uint8Array => {
  const text = new TextEncoder().encode(`${failed.syscall}\0${failed.path}`)
  const payload = new Uint8Array(8 + text.length)
  const view = new DataView(payload.buffer)
  view.setInt32(0, failed.operation, true)
  view.setInt32(4, failed.errno, true)
  payload.set(text, 8)
  return encodeFrame(FrameType.failed, payload)
}

export const exitedFrame = (exit: ExitStatus): Uint8Array => {
  const payload = new Uint8Array(12)
  const view = new DataView(payload.buffer)
  view.setUint32(0, exit.code, true)
  view.setUint32(4, exit.signal, true)
  view.setUint32(8, exit.oomKilled ? 1 : 0, true)
  return encodeFrame(FrameType.exited, payload)
}

const decodeFrame = (type: number, payload: Uint8Array): Frame | undefined => {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  switch (type) {
    case FrameType.stdout:
      return { _tag: "Output", stream: "stdout", data: payload }
    case FrameType.stderr:
      return { _tag: "Output", stream: "stderr", data: payload }
    case FrameType.started:
      return payload.length < 12 ? undefined : { _tag: "Started", process: identity(view) }
    case FrameType.failed: {
      if (payload.length < 8) return undefined
      const [syscall = "", path = ""] = new TextDecoder().decode(payload.subarray(8)).split("\0")
      return { _tag: "Failed", operation: view.getInt32(0, true), errno: view.getInt32(4, true), syscall, path }
    }
    case FrameType.exited:
      return payload.length < 12 ? undefined : {
        _tag: "Exited",
        exit: {
          code: view.getUint32(0, true), signal: view.getUint32(4, true), oomKilled: view.getUint32(8, true) !== 0
        }
      }
    default:
      return undefined
  }
}

/** Whole frames, as ChannelRead gives them; frames of unknown type or too short are passed over. */
export const decodeFrames = (bytes: Uint8Array): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at + header <= bytes.length) {
    const length = view.getUint32(at + 4)
    const frame = decodeFrame(bytes[at]!, bytes.subarray(at + header, at + header + length))
    if (frame !== undefined) frames.push(frame)
    at += header + length
  }
  return frames
}
