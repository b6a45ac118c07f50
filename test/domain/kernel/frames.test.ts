import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { decodeFrames, encodeFrame, exitedFrame, failedFrame, startedFrame } from "../../../src/domain/kernel/frames.ts"
import { FrameType, framePayloadLimit } from "../../../src/domain/kernel/Supervisor.ts"
import { errnoName, errnoNumber } from "../../../src/domain/kernel/errno.ts"

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0)
  return bytes
}

describe("frames", () => {
  it("tell what they were told", () => {
    const process = { pid: 4_000_000_000, startTime: 2 ** 40 }
    const exit = { code: 137, signal: 9, oomKilled: true }
    const failed = { operation: -1, errno: 11, syscall: "clone3", path: "/a\u00e9" }
    assert.deepStrictEqual(
      decodeFrames(joined([startedFrame(process), failedFrame(failed), exitedFrame(exit)])),
      [{ _tag: "Started", process }, { _tag: "Failed", ...failed }, { _tag: "Exited", exit }]
    )
  })

  it("carry output of any length, cut at the limit of a frame", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200_000 }), (data) => {
      const frames = decodeFrames(encodeFrame(FrameType.stdout, data))
      assert.isTrue(frames.every((frame) => frame._tag === "Output" && frame.data.length <= framePayloadLimit))
      assert.deepStrictEqual(joined(frames.map((frame) => frame._tag === "Output" ? frame.data : new Uint8Array())), data)
    }), { numRuns: 20 })
  })

  it("of unknown types are passed over", () => {
    assert.deepStrictEqual(decodeFrames(encodeFrame(99, new Uint8Array(3))), [])
  })
})

describe("errno", () => {
  it("has one name for each number and the way back", () => {
    for (let number = 1; number <= 133; number++) {
      const name = errnoName(number)
      if (!/^E[0-9]+$/.test(name)) assert.strictEqual(errnoName(errnoNumber(name)), name)
    }
    assert.strictEqual(errnoName(2), "ENOENT")
    assert.strictEqual(errnoName(-13), "EACCES")
    assert.strictEqual(errnoName(999), "E999")
  })
})
