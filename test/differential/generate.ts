/** Random programs: steps on a few containers, half of them sensible at the time, the others not. */
import * as fc from "fast-check"
import type { ContainerConfig, Mount, ResourceConfig } from "../../src/domain/container/ContainerConfig.ts"
import { script } from "./scripts.ts"
import type { Behaviour, Program, Step, Tree } from "./Step.ts"

const name = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom("n1", "n2", "n3") },
  { weight: 1, arbitrary: fc.constantFrom("nobody", "", "/n1") }
)

const mebibyte = 1024 * 1024

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 4, arbitrary: script(5).map((text): Behaviour => ({ _tag: "Short", script: text })) },
  { weight: 3, arbitrary: fc.constant<Behaviour>({ _tag: "Idle" }) },
  { weight: 4, arbitrary: fc.constant<Behaviour>({ _tag: "Listening" }) },
  { weight: 1, arbitrary: fc.constant<Behaviour>({ _tag: "Cat" }) },
  { weight: 1, arbitrary: fc.constantFrom("nothing-such", "/etc/passwd", "/etc", "/bin/none", "").map((program): Behaviour => ({ _tag: "Broken", program })) }
)

const resources: fc.Arbitrary<ResourceConfig> = fc.oneof(
  fc.constantFrom(32, 48, 64).map((size) => ({ memory: size * mebibyte })),
  fc.constantFrom(32, 48, 64).map((size) => ({ memory: size * mebibyte, memorySwap: -1 })),
  fc.constantFrom(32, 48).map((size) => ({ memory: size * mebibyte, memorySwap: 2 * size * mebibyte, memoryReservation: 16 * mebibyte })),
  fc.constantFrom(20, 50, -1, 0).map((pidsLimit) => ({ pidsLimit })),
  fc.constantFrom(0.5, 1, 1.5).map((cpus) => ({ nanoCpus: cpus * 1e9 })),
  fc.constantFrom(2, 512, 1024, 4096).map((cpuShares) => ({ cpuShares })),
  fc.constantFrom({ cpuQuota: 20_000, cpuPeriod: 50_000 }, { cpuQuota: 30_000 }, { cpusetCpus: "0" }, { cpusetCpus: "0", cpusetMems: "0" }),
  // What is refused
  fc.constantFrom<ResourceConfig>(
    { memory: 1000 }, { nanoCpus: 1e12 }, { cpusetCpus: "999" }, { cpuShares: 1 }, { memory: 64 * mebibyte, memorySwap: 32 * mebibyte },
    { memorySwap: 64 * mebibyte }, { cpuPeriod: 10 }, { nanoCpus: 1e9, cpuQuota: 10_000 }, { memoryReservation: 64 * mebibyte, memory: 32 * mebibyte }
  )
)

const tmpfs: Mount = { _tag: "Tmpfs", target: "/tmp", options: ["mode=1777"] }
const bind = (source: string, readonly: boolean): Mount => ({
  _tag: "Bind", source, target: "/bound", readonly, recursive: "enabled", propagation: "", createSource: false
})

/** One thing that a container has that others have not. `SCRATCH` is a directory that all programs may write to. */
const particular: fc.Arbitrary<Partial<ContainerConfig>> = fc.oneof(
  resources.map((of) => ({ resources: of })),
  fc.constantFrom<Partial<ContainerConfig>>(
    { env: ["A=1", "B=2"] }, { env: ["A=b c", "PATH=/bin"] }, { hostname: "box" }, { hostname: "box", domainname: "example.com" },
    { user: "alice" }, { user: "1000:50", groupAdd: ["wheel"] }, { user: "0:0" }, { user: "nobody-here" },
    { workingDirectory: "/etc" }, { workingDirectory: "/made/here" }, { workingDirectory: "/etc/passwd" }, { workingDirectory: "relative" },
    { readonlyRootfs: true }, { readonlyRootfs: true, mounts: [tmpfs] }, { mounts: [tmpfs] },
    { mounts: [bind("SCRATCH", false)] }, { mounts: [bind("SCRATCH", true)] }, { mounts: [bind("SCRATCH/none", false)] },
    { mounts: [tmpfs, tmpfs] }, { mounts: [{ ...tmpfs, target: "/" }] },
    { init: true }, { tty: true }, { stopSignal: "SIGINT" }, { stopSignal: "9" }, { stopTimeout: 0 },
    { labels: { a: "1" } }, { entrypoint: ["sh", "-c"], command: ["echo entry; exit 4"] },
    { sysctls: { "net.ipv4.ip_forward": "1" } }, { sysctls: { "vm.swappiness": "1" } }, { sysctls: { "kernel.msgmax": "4096" } },
    { networkMode: "container:n1" }, { ipcMode: "container:n1" }, { pidMode: "container:n2" }, { networkMode: "container:nobody" },
    { capDrop: ["CHOWN"] }, { capDrop: ["ALL"] }, { capAdd: ["NOTHING"] }, { noNewPrivileges: true },
    { ulimits: [{ name: "nofile", soft: 64, hard: 128 }] }, { shmSize: 1_048_576 }, { extraHosts: ["db:192.0.2.1"] },
    { dns: ["192.0.2.53"] }, { cgroupnsMode: "host" }, { utsMode: "host" }, { networkMode: "host" }, { ipcMode: "none" }
  )
)

const more: fc.Arbitrary<Partial<ContainerConfig>> = fc.array(particular, { maxLength: 3 })
  .map((all) => all.reduce<Partial<ContainerConfig>>((sum, one) => ({ ...sum, ...one }), {}))

const path = fc.constantFrom("/etc/passwd", "/etc", "/f", "/d", "/d/f", "/tmp", "/link", "/missing", "/bin/sh", "/copied", "/home/alice")

const treeEntry = (at: string): fc.Arbitrary<Tree[number]> =>
  fc.tuple(fc.constantFrom(0o644, 0o600, 0o755, 0o4755), fc.constantFrom(0, 1000)).chain(([mode, uid]) => fc.oneof(
    fc.constantFrom("", "content\n", "long ".repeat(30)).map((content) => ({ type: "file" as const, path: at, mode, uid, content })),
    fc.constantFrom("f", "/etc/passwd", "../..", "missing").map((target) => ({ type: "symlink" as const, path: at, mode: 0o777, uid, target })),
    fc.constant({ type: "dir" as const, path: at, mode, uid })
  ))

const tree: fc.Arbitrary<Tree> = fc.tuple(
  fc.constant({ type: "dir" as const, path: "copied", mode: 0o755, uid: 0 }),
  treeEntry("copied/one"), treeEntry("copied/two"), fc.constantFrom("f", "d", "link").chain(treeEntry)
)

const ofName = (tag: "Pause" | "Unpause" | "Restart" | "Wait" | "Top" | "Inspect" | "Limits" | "Size" | "Start") =>
  name.map((one): Step => ({ _tag: tag, name: one }))

const signal = fc.constantFrom(1, 2, 3, 9, 10, 12, 15, 15, 18, 28, 0, 99)

const exec: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("Exec" as const), name, script: script(4),
  user: fc.oneof({ weight: 6, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constantFrom("alice", "1:1", "nobody-here") }),
  workingDirectory: fc.oneof({ weight: 6, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constantFrom("/etc", "/missing") }),
  env: fc.constantFrom([], [], ["A=exec"], ["A=1", "C=3"]), tty: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
})

/** Programs that want more than they may have. */
const greedy = fc.constantFrom<readonly [string, Partial<ContainerConfig>]>(
  ["dd if=/dev/zero of=/dev/null bs=100M count=1 2> /dev/null", { resources: { memory: 16 * mebibyte, memorySwap: 16 * mebibyte } }],
  ["dd if=/dev/zero of=/dev/null bs=100M count=1 2> /dev/null; echo $?", { resources: { memory: 16 * mebibyte, memorySwap: 16 * mebibyte } }],
  ["for i in 1 2 3 4 5 6; do sleep 0.2 & done; echo all; wait", { resources: { pidsLimit: 4 } }],
  ["for i in 1 2 3 4 5 6; do sleep 0.01 & done; echo all; wait", { resources: { pidsLimit: 40 } }],
  ["echo x > /big; while dd if=/dev/zero of=/tmp/full bs=1000 count=100 2> /dev/null; do exit 1; done; echo full", {
    mounts: [{ ...tmpfs, options: ["size=64k"] }]
  }]
)

const create: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("Create" as const),
  name: fc.oneof({ weight: 30, arbitrary: fc.constantFrom("n1", "n2", "n3") }, { weight: 1, arbitrary: fc.constantFrom("-x", "a b", "x") }),
  what: fc.oneof(
    { weight: 10, arbitrary: fc.tuple(behaviour, more) },
    { weight: 1, arbitrary: greedy.map(([text, given]) => [{ _tag: "Short", script: text }, given] as [Behaviour, Partial<ContainerConfig>]) }
  )
}).map(({ _tag, name, what: [behaviour, more] }) => ({ _tag, name, behaviour, more }))

const other: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: exec },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Kill" as const), name, signal }) },
  {
    weight: 2,
    arbitrary: fc.record(
      { _tag: fc.constant("Stop" as const), name, signal: fc.constantFrom(2, 9, 15), patient: fc.constantFrom(false, false, false, false, true) },
      { requiredKeys: ["_tag", "name", "patient"] }
    )
  },
  { weight: 2, arbitrary: ofName("Start") },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Run" as const), name, input: fc.constantFrom("", "one\ntwo\n", "no newline") }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Attach" as const), name, input: fc.constantFrom("", "one\n") }) },
  { weight: 2, arbitrary: ofName("Pause") },
  { weight: 2, arbitrary: fc.oneof(ofName("Unpause"), ofName("Restart"), ofName("Wait")) },
  { weight: 2, arbitrary: fc.oneof(ofName("Top"), ofName("Inspect"), ofName("Limits"), ofName("Size")) },
  {
    weight: 1,
    arbitrary: fc.record({ _tag: fc.constant("Rename" as const), name, to: fc.constantFrom("n1", "n2", "n3", "n4", "", "a b", "/n3") })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Update" as const), name, resources }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Remove" as const), name, force: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Logs" as const), name, tail: fc.constantFrom(-1, 0, 1, 3) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Stat" as const), name, path, follow: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("CopyOut" as const), name, path, follow: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant("CopyIn" as const), name, path: fc.constantFrom("/", "/tmp", "/d", "/missing", "/etc/passwd", "/link"), tree,
      owned: fc.boolean()
    })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("CopyBetween" as const), name, to: name, path }) }
)

/** One step, or some that belong together. */
const several: fc.Arbitrary<ReadonlyArray<Step>> = fc.oneof(
  { weight: 8, arbitrary: other.map((step) => [step]) },
  { weight: 1, arbitrary: create.map((step) => [step]) },
  { weight: 1, arbitrary: ofName("Start").map((step) => [step]) },
  { weight: 1, arbitrary: fc.tuple(ofName("Pause"), other, ofName("Unpause")) },
  { weight: 1, arbitrary: create.map((step): ReadonlyArray<Step> => [{ _tag: "Remove", name: step.name, force: true }, step, { _tag: "Start", name: step.name }]) }
)

/** Mostly about one container, which is started; sometimes a second one runs beside it. */
export const program: fc.Arbitrary<Program> = fc.tuple(
  create, fc.option(create, { nil: undefined }),
  fc.array(several, { minLength: 2, maxLength: 8 }).map((all) => all.flat()),
  fc.array(fc.nat({ max: 9 }), { minLength: 40, maxLength: 40 })
).map(([first, second, rest, chances]) => {
  const start = (step: Step): ReadonlyArray<Step> => [step, { _tag: "Start", name: step.name }]
  // Three in four steps are about the first
  const aimed = rest.map((step, index) => step._tag === "Create" || chances[index]! < 3 ? step : { ...step, name: first.name })
  return [...start(first), ...(second === undefined ? [] : start(second)), ...aimed]
})
