import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { ContainerRecord, formatTime, lostExit, observe, rebootExit } from "../../../src/domain/container/ContainerRecord.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { formatStatus, parseStatus, type SupervisorStatus } from "../../../src/domain/kernel/Supervisor.ts"

const record: ContainerRecord = {
  version: 1, id: "ab".repeat(32), name: "calm_otter", createdAt: formatTime(1_700_000_000_000_000_001n),
  config: defaultConfig("fx/hello"), layers: ["/layer"], imageId: "", image: noImageDefaults, phase: "created",
  cgroups: [], limitsPending: false, stopRequested: false, error: "", restartCount: 0
}
const launched: ContainerRecord = { ...record, phase: "launched" }
const supervisor = { pid: 10, startTime: 100 }
const running: SupervisorStatus = { supervisor, init: { pid: 11, startTime: 101 }, startedAt: 5n }
const ended: SupervisorStatus = { ...running, exited: { at: 9n, status: { code: 3, signal: 0, oomKilled: false } } }
const seen = (status: SupervisorStatus | undefined, alive = false, frozen = false) =>
  ({ status, alive, frozen, rebooted: false })

describe("the state of a container", () => {
  it("is running while its init lives and paused while that is frozen", () => {
    assert.strictEqual(observe(launched, seen(running, true)).name, "running")
    assert.strictEqual(observe(launched, seen(running, true, true)).name, "paused")
    assert.deepStrictEqual(observe(launched, seen(running, true)).process, running.init)
  })

  it("is exited as soon as the supervisor says so, though the record still says launched", () => {
    const state = observe(launched, seen(ended))
    assert.strictEqual(state.name, "exited")
    assert.deepStrictEqual(state.exit, { code: 3, signal: 0, oomKilled: false })
  })

  it("is exited with the code of a kill when init and supervisor vanished without a word", () => {
    assert.deepStrictEqual(observe(launched, seen(running, false)).exit, lostExit)
    const before = { code: 3, signal: 0, oomKilled: false }
    assert.deepStrictEqual(observe({ ...launched, exit: before }, seen(running, false)).exit, lostExit)
  })

  it("is exited with Docker's code of a reboot when the host went down while it ran", () => {
    const rebooted = { status: undefined, alive: false, frozen: false, rebooted: true }
    const before: ContainerRecord = { ...launched, launch: { boot: "b", at: "2026-01-01T00:00:00Z" } }
    const state = observe(before, rebooted)
    assert.deepStrictEqual([state.name, state.exit, state.startedAt], ["exited", rebootExit, before.launch?.at])
    assert.deepStrictEqual(observe(before, { ...rebooted, status: running }).exit, rebootExit)
    assert.deepStrictEqual(observe(before, { ...rebooted, status: ended }).exit?.code, 3, "it had ended before")
    assert.strictEqual(observe(before, { ...rebooted, status: { supervisor } }).name, "created", "it had not begun")
  })

  it("is created until the program runs", () => {
    assert.strictEqual(observe(record, seen(undefined)).name, "created")
    assert.strictEqual(observe(launched, seen(undefined)).name, "created")
    assert.strictEqual(observe(launched, seen({ supervisor })).name, "created")
    const exit = { code: 3, signal: 0, oomKilled: false }
    const again = observe({ ...launched, exit, finishedAt: "2026-01-01T00:00:00Z" }, seen({ supervisor }))
    assert.deepStrictEqual([again.name, again.exit], ["exited", exit])
  })

  it("is removing from the first step of the removal on", () => {
    assert.strictEqual(observe({ ...record, phase: "removing" }, seen(running, true)).name, "removing")
  })
})

describe("records and status files", () => {
  it("of a container survive JSON and its schema", () => {
    assert.deepStrictEqual(Schema.decodeUnknownSync(ContainerRecord)(JSON.parse(JSON.stringify(record))), record)
  })

  it("of a supervisor are read as they were written", () => {
    const failed: SupervisorStatus = { supervisor, failed: { operation: 7, errno: 2, syscall: "execve", path: "/a b" } }
    for (const status of [{ supervisor }, running, ended, failed]) {
      assert.deepStrictEqual(parseStatus(formatStatus(status)), status)
    }
    assert.isUndefined(parseStatus(""))
    assert.isUndefined(parseStatus("init 3 4\n"))
  })

  it("print times as Docker does", () => {
    assert.strictEqual(formatTime(1_700_000_000_000_000_000n), "2023-11-14T22:13:20Z")
    assert.strictEqual(formatTime(1_700_000_000_120_000_000n), "2023-11-14T22:13:20.12Z")
    assert.strictEqual(formatTime(1_700_000_000_000_000_001n), "2023-11-14T22:13:20.000000001Z")
  })
})
