import { assert, describe, it } from "@effect/vitest"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import type { SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { failure, mountOf, output } from "./InitProgram.ts"
import {
  Client, containerOf, exec, Machine, ownRoot, prepare, run, specOf
} from "./SimulatedMachine.ts"

describe("namespaces", () => {
  it("have their own names, process numbers and settings", () => {
    const machine = new Machine()
    const seen = output(
      "hostname; echo $$; cat /proc/sys/kernel/msgmax; cat /proc/sys/kernel/domainname",
      [
        { _tag: "Hostname", name: "box" },
        { _tag: "Domainname", name: "example.org" },
        { _tag: "Sysctl", key: "kernel.msgmax", value: "4096" },
        { _tag: "LoopbackUp" }
      ],
      {},
      machine
    )
    assert.strictEqual(seen, "box\n1\n4096\nexample.org\n")
    assert.strictEqual(machine.do("HostRead", {}).hostname, "simulated")
    assert.strictEqual(machine.text("/proc/sys/kernel/msgmax"), "8192\n")
  })

  it("are told apart by the links of /proc/PID/ns", () => {
    const machine = new Machine()
    const link = /^uts:\[40265\d{5}\]\n$/
    const one = output("readlink /proc/self/ns/uts", [], {}, machine)
    const outside = machine.do("FileStat", { path: "/proc/1/ns/uts", follow: false })?.target
    assert.match(one, link)
    assert.notStrictEqual(one, `${outside}\n`)
  })

  it("refuse names that are too long and settings that are none", () => {
    assert.match(failure({ _tag: "Hostname", name: "x".repeat(65) }), /^EINVAL sethostname/)
    assert.strictEqual(
      failure({ _tag: "Sysctl", key: "kernel.nosuch", value: "1" }),
      "ENOENT openat2 kernel.nosuch"
    )
    assert.strictEqual(
      failure({ _tag: "Sysctl", key: "kernel.msgmax", value: "many" }),
      "EINVAL write kernel.msgmax"
    )
    assert.strictEqual(failure({ _tag: "Sysctl", key: "kernel/msgmax", value: "1" }), "success")
    assert.strictEqual(
      failure({ _tag: "Sysctl", key: "net.ipv4.conf.all.forwarding", value: "1" }),
      "success"
    )
  })

  it("are joined by their file or by their process, and only of the right kind", () => {
    const machine = new Machine()
    prepare(machine)
    const first = Client.start(
      machine,
      containerOf(["sleep", "100"], {}, [{ _tag: "Hostname", name: "first" }])
    )
    first.until((frame) => frame._tag === "Started")
    const { process } = first.frames.find((one) => one._tag === "Started")!
    machine.do("DirEnsure", { path: "/run/two", mode: 0o700 })
    const join = (op: InitOp) =>
      Client.start(machine, specOf({ directory: "/run/two", program: [op, exec("hostname")] }))
        .finish()
    const path = `/proc/${process.pid}/ns/uts`
    assert.strictEqual(join({ _tag: "NamespaceJoin", kind: "uts", path }).stdout, "first\n")
    assert.strictEqual(
      join({ _tag: "NamespaceEnter", process, kinds: ["uts", "mnt"] }).stdout,
      "first\n"
    )
    assert.strictEqual(join({ _tag: "NamespaceJoin", kind: "net", path }).failed?.errno, 22)
    assert.strictEqual(
      join({ _tag: "NamespaceJoin", kind: "net", path: "/etc/passwd" }).failed?.errno,
      22
    )
    assert.strictEqual(
      join({ _tag: "NamespaceJoin", kind: "net", path: "/proc/99999/ns/net" }).failed?.errno,
      2
    )
    assert.strictEqual(
      join({ _tag: "NamespaceEnter", process: { ...process, startTime: 1 }, kinds: ["uts"] }).failed
        ?.errno,
      3
    )
  })

  it("of control groups show the container's own as the root", () => {
    const machine = new Machine()
    machine.do("CgroupEnsure", { directory: "/sys/fs/cgroup/fx/one" })
    const seen = output(
      "cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; grep cgroup2 /proc/self/mountinfo",
      [
        { _tag: "NamespaceUnshare", kinds: ["cgroup"] },
        mountOf({ type: "cgroup2", source: "cgroup", target: "/sys/fs/cgroup", attributes: ["ro"] })
      ],
      { cgroup: "/sys/fs/cgroup/fx/one" },
      machine
    )
    assert.match(seen, /^0::\/\n1\n/)
    assert.match(seen, / \/ \/sys\/fs\/cgroup ro,relatime - cgroup2 cgroup rw/)
  })

  it("of time move the clocks, but not before the boot", () => {
    const time = (seconds: number): InitOp => ({
      _tag: "TimeNamespace",
      boottime: { seconds, nanoseconds: 0 }
    })
    assert.strictEqual(failure(time(-100_000)), "ERANGE write /proc/self/timens_offsets")
    assert.strictEqual(failure(time(1000)), "success")
  })
})

describe("a user namespace", () => {
  const mapped: Partial<SupervisorSpec> = {
    namespaces: ["user", "mnt", "pid", "uts", "ipc", "net"],
    uidMap: [{ inside: 0, outside: 100_000, count: 65_536 }],
    gidMap: [{ inside: 0, outside: 100_000, count: 65_536 }]
  }
  const noNode = ownRoot.filter((op) => op._tag !== "NodeMake")

  const inside = (script: string, machine = new Machine()) => {
    const ended = run(
      machine,
      specOf({ ...mapped, program: [...noNode, exec("sh", "-c", script)] })
    )
    assert.isUndefined(ended.failed, JSON.stringify(ended.failed))
    return { ended, machine }
  }

  it("makes an unprivileged user of the host its root", () => {
    const { ended, machine } = inside(
      "id -u; cat /proc/self/uid_map; touch /made; stat -c %u /made /etc/passwd"
    )
    assert.strictEqual(ended.stdout, "0\n         0     100000      65536\n0\n0\n")
    // On disk the ids are those of the image: the layers are mapped
    assert.strictEqual(
      machine.do("FileStat", { path: "/var/lib/test/upper/made", follow: false }).uid,
      0
    )
  })

  it("has no power over the host", () => {
    const node: InitOp = {
      _tag: "NodeMake", path: "/x", type: "c", mode: 0o666, major: 1, minor: 3, uid: 0, gid: 0
    }
    const machine = new Machine()
    prepare(machine)
    const { failed } = Client.start(
      machine,
      specOf({ ...mapped, program: [...noNode, node, exec("true")] })
    ).finish()
    assert.deepStrictEqual([failed?.errno, failed?.syscall], [1, "mknodat"])
    assert.include(inside("echo 1 > /proc/sys/vm/swappiness; echo $?").ended.stdout, "1\n")
  })

  it("without maps is nobody's", () => {
    const machine = new Machine()
    prepare(machine)
    const { failed } = Client.start(
      machine,
      specOf({ ...mapped, uidMap: [], gidMap: [], program: [...noNode, exec("true")] })
    ).finish()
    assert.deepStrictEqual([failed?.errno, failed?.path], [22, "user namespace"])
  })

  it("takes only maps that the kernel takes", () => {
    const machine = new Machine()
    prepare(machine)
    const overlapping = [
      { inside: 0, outside: 1, count: 10 },
      { inside: 5, outside: 100, count: 10 }
    ]
    const { failed } = Client.start(
      machine,
      specOf({ ...mapped, uidMap: overlapping, program: [...noNode, exec("true")] })
    ).finish()
    assert.deepStrictEqual([failed?.operation, failed?.errno], [-1, 22])
  })
})
