import { describe, expect, it } from "vitest"
import { advanced, type Board, drawn, emptyBoard, plainLine, rowText } from "../../../src/cli/format/progressBoard.ts"
import type { Progress } from "../../../src/programs/image/Progress.ts"

const screen = { rows: 24, columns: 100 }

/** A board after words of which one comes each second. */
const told = (...words: ReadonlyArray<Progress>): Board =>
  words.reduce((board, word, index) => advanced(board, word, index * 1000), emptyBoard)

const lines = (board: Board, now: number, ended = false, size = screen): ReadonlyArray<string> =>
  drawn(board, now, size, ended).text.replaceAll(/\x1b\[[0-9]*[AJK]|\r/g, "").split("\n").filter((line) => line !== "")

describe("a board of transfers", () => {
  it("has a row for each layer in the order of the first word about it", () => {
    const board = told({ id: "latest", status: "Pulling from library/a" }, { id: "bb", status: "Pulling fs layer" },
      { id: "aa", status: "Pulling fs layer" }, { id: "bb", status: "Pull complete" })
    expect(lines(board, 4000)).toEqual(["latest: Pulling from library/a", "bb: Pull complete", "aa: Pulling fs layer"])
  })

  it("shows how far a layer is, how fast it comes, and all of them together", () => {
    const board = told({ id: "aa", status: "Downloading", current: 0, total: 10_000_000 },
      { id: "aa", status: "Downloading", current: 2_500_000, total: 10_000_000 })
    expect(lines(board, 1000)).toEqual([
      `aa: Downloading [${"=".repeat(12)}>${" ".repeat(38)}]    2.5MB/10MB  2.5MB/s`,
      "Total: 2.5MB of 10MB, 2.5MB/s"
    ])
  })

  it("counts what has come to its end as whole, and the speed from the first byte of its own", () => {
    const board = told({ id: "aa", status: "Downloading", current: 5_000_000, total: 10_000_000 },
      { id: "aa", status: "Extracting" }, { id: "aa", status: "Pull complete" }, { id: "bb", status: "Already exists" })
    expect(lines(board, 10_000, true)).toEqual(["aa: Pull complete", "bb: Already exists", "Total: 10MB, 500kB/s"])
  })

  it("measures the speed of compressing and of sending apart", () => {
    const board = told({ id: "aa", status: "Compressing", current: 0, total: 20_000_000 },
      { id: "aa", status: "Compressing", current: 20_000_000, total: 20_000_000 }, { id: "aa", status: "Preparing" },
      { id: "aa", status: "Pushing", current: 0, total: 10_000_000 }, { id: "aa", status: "Pushing", current: 5_000_000, total: 10_000_000 })
    expect(lines(board, 4000)).toEqual([
      `aa: Pushing [${"=".repeat(25)}>${" ".repeat(25)}]      5MB/10MB  5MB/s`, "Total: 5MB of 10MB, 5MB/s"
    ])
  })

  it("has a shorter bar on a narrow screen, and none on a very narrow one", () => {
    const [row] = told({ id: "aa", status: "Downloading", current: 50, total: 100 }).rows
    expect(rowText(row!, 0, 60)).toBe(`aa: Downloading [${"=".repeat(13)}>${" ".repeat(14)}]      50B/100B`)
    expect(rowText(row!, 0, 30)).toBe("aa: Downloading 50B/100B")
  })

  it("has no bar where nobody knows how much there is", () => {
    const [row] = told({ id: "aa", status: "Downloading", current: 50 }).rows
    expect(rowText(row!, 0, 100)).toBe("aa: Downloading 50B")
  })

  it("is drawn over itself", () => {
    const first = drawn(told({ id: "a", status: "one" }, { id: "b", status: "two" }), 0, screen, false)
    expect(first.text).toBe("\r\x1b[2Ka: one\n\r\x1b[2Kb: two\n")
    const second = drawn(advanced(first.board, { id: "a", status: "three" }, 0), 0, screen, false)
    expect(second.text).toBe("\x1b[2A\r\x1b[2Ka: three\n\r\x1b[2Kb: two\n")
  })

  it("drops what is over first where the screen is too low", () => {
    const words = Array.from({ length: 8 }, (_, index): Progress =>
      index < 4 ? { id: `d${index}`, status: "Pull complete" } : { id: `m${index}`, status: "Downloading", current: 1, total: 10 })
    const shown = lines(told(...words), 8000, false, { rows: 8, columns: 80 })
    expect(shown.map((line) => line.split(":")[0])).toEqual(["d2", "d3", "m4", "m5", "m6", "m7", "Total"])
    expect(lines(told(...words), 8000, false, { rows: 4, columns: 80 })).toHaveLength(3)
  })

  it("is lines in a pipe, without bars", () => {
    expect(plainLine({ id: "aa", status: "Pull complete" })).toBe("aa: Pull complete")
    expect(plainLine({ status: "Digest: sha256:x" })).toBe("Digest: sha256:x")
    expect(plainLine({ id: "aa", status: "Downloading", current: 1, total: 2 })).toBeUndefined()
  })
})
