import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { encodeFrame } from "../../../src/domain/kernel/frames.ts"
import { Refusal } from "../../../src/interpreters/linux/attempt.ts"
import { FrameBuffer } from "../../../src/interpreters/linux/FrameBuffer.ts"

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(pieces))

/** Where each frame of a stream ends. */
const ends = (bytes: Uint8Array): ReadonlySet<number> => {
  const found = new Set([0])
  for (let at = 0; at < bytes.length;) {
    at += 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 4)
    found.add(at)
  }
  return found
}

describe("a frame buffer", () => {
  const frame = fc.record({ type: fc.constantFrom(0, 1, 2, 16, 18), payload: fc.uint8Array({ maxLength: 40 }) })
    .map(({ payload, type }) => encodeFrame(type, payload))
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 })

  it("gives whole frames only, all of them, in order, however the stream is cut", () => {
    fc.assert(fc.property(fc.array(frame, { maxLength: 20 }), cuts, fc.boolean(), (frames, cuts, eager) => {
      const stream = concat(frames)
      const boundaries = ends(stream)
      const buffer = new FrameBuffer()
      let given = new Uint8Array(0)
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const end = at + cuts[cut % cuts.length]!
        buffer.push(stream.slice(at, end))
        at = end
        expect(buffer.size).toBe(Math.min(end, stream.length) - given.length)
        if (!eager && cut % 3 !== 0) continue
        expect(buffer.hasFrames).toBe([...boundaries].some((one) => one > given.length && one <= end))
        given = new Uint8Array(concat([given, buffer.take()]))
        expect(boundaries.has(given.length)).toBe(true)
      }
      expect(concat([given, buffer.take()])).toEqual(stream)
      expect(buffer.size).toBe(0)
    }))
  })

  it("takes a frame of the greatest size and refuses a greater one", () => {
    const buffer = new FrameBuffer()
    const largest = encodeFrame(1, new Uint8Array(65_536))
    buffer.push(largest.slice(0, 100))
    buffer.push(largest.slice(100))
    expect(buffer.take()).toHaveLength(65_544)
    const tooLarge = Uint8Array.of(1, 0, 0, 0, 0, 1, 0, 1)
    expect(() => buffer.push(tooLarge)).toThrow(Refusal)
    expect(() => new FrameBuffer().push(Uint8Array.of(1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff))).toThrow(Refusal)
  })

  it("says that it has no frames while the first is not whole", () => {
    const buffer = new FrameBuffer()
    buffer.push(Uint8Array.of(1, 0, 0))
    expect(buffer.hasFrames).toBe(false)
    expect(buffer.take()).toHaveLength(0)
    buffer.push(Uint8Array.of(0, 0, 0, 0, 0))
    expect(new Uint8Array(buffer.take())).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))
  })
})
