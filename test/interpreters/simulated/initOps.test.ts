import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { errnoName } from "../../../src/domain/kernel/errno.ts"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import type { SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { brokenInvariants, leaks, possibleInitErrnos } from "../../../src/testing/index.ts"
import { Client, containerOf, exec, Machine, ownRoot, prepare, run, specOf } from "./SimulatedMachine.ts"

/** What a shell script prints in a container after further operations. */
const output = (script: string, extra: ReadonlyArray<InitOp> = [], change: Partial<SupervisorSpec> = {}, machine = new Machine()): string => {
  const ended = run(machine, containerOf(["sh", "-c", script], change, extra))
  assert.isUndefined(ended.failed, JSON.stringify(ended.failed))
  assert.deepStrictEqual(brokenInvariants(machine.world), [])
  return ended.stdout + ended.stderr
}

/** How an operation fails: errno, system call, object. */
const failure = (op: InitOp, change: Partial<SupervisorSpec> = {}, before: ReadonlyArray<InitOp> = [], machine = new Machine()): string => {
  const { failed } = run(machine, containerOf(["true"], change, [...before, op]))
  assert.deepStrictEqual(brokenInvariants(machine.world), [])
  return failed === undefined ? "success" : `${errnoName(failed.errno)} ${failed.syscall} ${failed.path}`.trim()
}

const mountOf = (change: Partial<Extract<InitOp, { readonly _tag: "MountFilesystem" }>>): InitOp => ({
  _tag: "MountFilesystem", type: "tmpfs", source: "tmpfs", target: "/mnt", strict: false, options: [], attributes: [], copyUp: false,
  ...change
})

describe("the root", () => {
  it("is the overlay alone: nothing of the host is left", () => {
    const seen = output("cat /proc/self/mountinfo")
    assert.strictEqual(seen.trim().split("\n").length, 3)
    assert.match(seen, / \/ \/ rw,relatime - overlay overlay rw,lowerdir=\/images\/busybox,upperdir=\/var\/lib\/test\/upper/)
    assert.notInclude(seen, "ext4")
  })

  it("takes what is written into the upper layer, and leaves the image as it is", () => {
    const machine = new Machine()
    output("echo changed > /etc/hostname; rm /etc/hosts; mkdir /new", [], {}, machine)
    assert.strictEqual(machine.text("/var/lib/test/upper/etc/hostname"), "changed\n")
    assert.strictEqual(machine.do("FileStat", { path: "/var/lib/test/upper/etc/hosts", follow: false }).type, "character")
    assert.strictEqual(machine.text("/images/busybox/etc/hostname"), "simulated\n")
    const layers = { _tag: "Layers", lower: ["/images/busybox"], upper: "/var/lib/test/upper", work: "/var/lib/test/work" } as const
    assert.deepStrictEqual(machine.do("RootRead", { root: layers, paths: ["/etc/hostname", "/etc/hosts"], limit: 100 }), {
      "/etc/hostname": "changed\n"
    })
  })

  it("can't be pivoted to while its parent is shared: the host would see it", () => {
    const shared = [...ownRoot.slice(1), exec("true")]
    const machine = new Machine()
    prepare(machine)
    const { failed } = Client.start(machine, specOf({ namespaces: ["mnt", "pid"], program: shared })).finish()
    assert.deepStrictEqual([failed?.operation, failed?.errno, failed?.syscall], [1, 22, "pivot_root"])
  })

  it("that is mounted without a mount namespace stays on the host: what the namespace is for", () => {
    const machine = new Machine()
    prepare(machine)
    const before = machine.world
    Client.start(machine, specOf({ program: [ownRoot[1]!, exec("true")] })).finish()
    machine.pass(1)
    assert.deepInclude(leaks(before, machine.world).map((one) => one.kind), "mount")
  })

  it("is read-only when asked, but for what is mounted on it", () => {
    const attributes: InitOp = { _tag: "MountAttributes", path: "/", attributes: ["ro"], propagation: "rprivate" }
    const seen = output("echo x > /x; echo $?; echo y > /mnt/y; echo $?", [mountOf({}), attributes])
    assert.strictEqual(seen, "1\n0\nsh: can't create /x: Read-only file system\n")
  })
})

describe("mounts", () => {
  it("fail with the errno, the call and the object", () => {
    assert.strictEqual(failure(mountOf({ type: "nosuch" })), "ENODEV fsopen nosuch")
    assert.strictEqual(failure(mountOf({ options: [{ key: "nosuch", value: "1" }] })), "EINVAL fsconfig /mnt (nosuch=1)")
    assert.strictEqual(failure(mountOf({ options: [{ key: "size", value: "lots" }] })), "EINVAL fsconfig /mnt")
    assert.strictEqual(failure(mountOf({ target: "/etc/passwd" })), "ENOTDIR openat2 /etc/passwd")
    assert.strictEqual(failure(mountOf({ target: "/bin/x", strict: true })), "ELOOP openat2 /bin/x")
    assert.strictEqual(failure(mountOf({ target: "/made/for/it" })), "success")
    assert.strictEqual(failure({ _tag: "MountTree", slot: 3, target: "/x", attributes: [], propagation: "private" }), "EBADF move_mount /x")
    assert.strictEqual(failure({ _tag: "MountPropagation", path: "/etc", propagation: "private" }), "EINVAL mount /etc")
  })

  it("of tmpfs have a size that is kept, and a mode", () => {
    const seen = output("dd if=/zero of=/mnt/f bs=1k count=5 2>&1; echo $?; cat /big > /mnt/g; ls -l /mnt; stat -c %a /mnt", [
      mountOf({ options: [{ key: "size", value: "8k" }, { key: "mode", value: "700" }] })
    ], {}, new Machine({ files: { "/images/busybox/big": "x".repeat(9000), "/images/busybox/zero": "y".repeat(5120) } }))
    assert.match(seen, /5\+0 records out\n0\n/)
    assert.include(seen, "700\n")
    assert.notMatch(seen, /9000/)
  })

  it("copy up what the directory held", () => {
    const seen = output("cat /etc/hostname; mount", [mountOf({ target: "/etc", copyUp: true })])
    assert.include(seen, "simulated\n")
    assert.include(seen, "tmpfs on /etc type tmpfs")
  })

  it("bind trees of the host, files on files, read-only when asked", () => {
    const open = (slot: number, source: string): InitOp => ({ _tag: "TreeOpen", slot, source, recursive: true })
    const put = (slot: number, target: string, ro: boolean): InitOp =>
      ({ _tag: "MountTree", slot, target, attributes: ro ? ["ro"] : [], propagation: "rprivate" })
    const spec = specOf({
      namespaces: ["mnt", "pid"],
      program: [
        open(0, "/srv/data"), open(1, "/srv/data/file"), open(2, "/srv/data"), ...ownRoot, put(0, "/data", false),
        put(1, "/made/of/file", false), put(2, "/read", true),
        exec("sh", "-c", "cat /data/file /made/of/file; echo new > /data/new; echo $?; echo no > /read/no; echo $?; cat /read/new")
      ]
    })
    const machine = new Machine({ files: { "/srv/data/file": "content\n" } })
    assert.strictEqual(run(machine, spec).stdout, "content\ncontent\n0\n1\nnew\n")
    assert.strictEqual(machine.text("/srv/data/new"), "new\n")
    assert.strictEqual(machine.errno("FileRead", { path: "/srv/data/no", limit: 1 }), "ENOENT")
  })

  it("reach the container from the host when a volume is a slave, not when it is private", () => {
    for (const [propagation, seen] of [["rslave", "there\n"], ["rprivate", ""]] as const) {
      const machine = new Machine({ files: { "/srv/data/mnt": { directory: true } } })
      prepare(machine)
      const client = Client.start(machine, specOf({
        namespaces: ["mnt", "pid"],
        program: [
          { _tag: "TreeOpen", slot: 0, source: "/srv/data", recursive: true }, ...ownRoot,
          { _tag: "MountTree", slot: 0, target: "/data", attributes: [], propagation },
          exec("sh", "-c", "sleep 5; cat /data/mnt/file")
        ]
      }))
      client.until((frame) => frame._tag === "Started")
      machine.do("DirEnsure", { path: "/run/other", mode: 0o700 })
      // Something on the host mounts a file system there
      Client.start(machine, specOf({
        directory: "/run/other",
        program: [mountOf({ target: "/srv/data/mnt" }), exec("sh", "-c", "echo there > /srv/data/mnt/file; sleep 100")]
      })).until((frame) => frame._tag === "Started")
      assert.strictEqual(client.finish().stdout, seen, propagation)
    }
  })

  it("mask paths, and make others read-only", () => {
    const ops: ReadonlyArray<InitOp> = [
      { _tag: "MaskPaths", paths: ["/etc/passwd", "/var", "/nosuch", "/proc/acpi", "/etc/passwd/x"] },
      { _tag: "ReadonlyPaths", paths: ["/etc", "/nosuch", "/proc/sys"] }
    ]
    const seen = output("cat /etc/passwd; ls /var; touch /var/x; echo $?; touch /etc/x; echo $?; echo 1 > /proc/sys/kernel/msgmax; echo $?", ops)
    assert.strictEqual(seen.split("\n").filter((line) => /^\d$/.test(line)).join(""), "111")
    assert.notInclude(seen, "root:x")
  })

  it("mask files only with a real null device", () => {
    const fake: InitOp = { _tag: "NodeMake", path: "/dev/null", type: "c", mode: 0o666, major: 1, minor: 5, uid: 0, gid: 0 }
    assert.strictEqual(failure({ _tag: "MaskPaths", paths: ["/etc/passwd"] }, {}, [fake]), "ENODEV openat2 /dev/null")
  })
})

describe("nodes and links", () => {
  it("are made with their parents; links that the image has are kept, nodes replaced", () => {
    const seen = output("stat -c '%F %t:%T %a %u:%g' /a/b/null; readlink /c/link; readlink /bin; ls -d /d/e/f", [
      { _tag: "NodeMake", path: "/a/b/null", type: "c", mode: 0o666, major: 1, minor: 3, uid: 5, gid: 6 },
      { _tag: "NodeMake", path: "/a/b/null", type: "b", mode: 0o600, major: 8, minor: 1, uid: 5, gid: 6 },
      { _tag: "SymlinkMake", target: "anywhere", path: "/c/link" },
      { _tag: "SymlinkMake", target: "elsewhere", path: "/bin" },
      { _tag: "DirMake", path: "/d/e/f", mode: 0o700 }
    ])
    assert.strictEqual(seen, "block special file 8:1 600 5:6\nanywhere\nusr/bin\n/d/e/f\n")
  })

  it("follow links of the image inside the root only", () => {
    const machine = new Machine({
      files: {
        "/images/busybox/out": { link: "../../../../../etc" }, "/images/busybox/gone": { link: "/far/away" },
        "/images/busybox/circle": { link: "circle" }
      }
    })
    output("echo ok", [{ _tag: "DirMake", path: "/out/made", mode: 0o755 }, { _tag: "DirMake", path: "/gone/made", mode: 0o755 }], {}, machine)
    assert.strictEqual(machine.errno("FileStat", { path: "/etc/made", follow: false }), "ENOENT")
    assert.strictEqual(machine.do("FileStat", { path: "/var/lib/test/upper/etc/made", follow: false }).type, "directory")
    assert.strictEqual(machine.do("FileStat", { path: "/var/lib/test/upper/far/away/made", follow: false }).type, "directory")
    assert.strictEqual(failure({ _tag: "DirMake", path: "/circle/x", mode: 0o755 }, {}, [], new Machine({
      files: { "/images/busybox/circle": { link: "circle" } }
    })), "ELOOP openat2 /circle/x")
  })
})

describe("namespaces", () => {
  it("have their own names, process numbers and settings", () => {
    const machine = new Machine()
    const seen = output("hostname; echo $$; cat /proc/sys/kernel/msgmax; cat /proc/sys/kernel/domainname", [
      { _tag: "Hostname", name: "box" }, { _tag: "Domainname", name: "example.org" },
      { _tag: "Sysctl", key: "kernel.msgmax", value: "4096" }, { _tag: "LoopbackUp" }
    ], {}, machine)
    assert.strictEqual(seen, "box\n1\n4096\nexample.org\n")
    assert.strictEqual(machine.do("HostRead", {}).hostname, "simulated")
    assert.strictEqual(machine.text("/proc/sys/kernel/msgmax"), "8192\n")
  })

  it("refuse names that are too long and settings that are none", () => {
    assert.match(failure({ _tag: "Hostname", name: "x".repeat(65) }), /^EINVAL sethostname/)
    assert.strictEqual(failure({ _tag: "Sysctl", key: "kernel.nosuch", value: "1" }), "ENOENT openat2 kernel.nosuch")
    assert.strictEqual(failure({ _tag: "Sysctl", key: "kernel.msgmax", value: "many" }), "EINVAL write kernel.msgmax")
    assert.strictEqual(failure({ _tag: "Sysctl", key: "kernel/msgmax", value: "1" }), "success")
    assert.strictEqual(failure({ _tag: "Sysctl", key: "net.ipv4.conf.all.forwarding", value: "1" }), "success")
  })

  it("are joined by their file or by their process, and only of the right kind", () => {
    const machine = new Machine()
    prepare(machine)
    const first = Client.start(machine, containerOf(["sleep", "100"], {}, [{ _tag: "Hostname", name: "first" }]))
    first.until((frame) => frame._tag === "Started")
    const { process } = first.frames.find((one) => one._tag === "Started")!
    machine.do("DirEnsure", { path: "/run/two", mode: 0o700 })
    const join = (op: InitOp) => Client.start(machine, specOf({ directory: "/run/two", program: [op, exec("hostname")] })).finish()
    const path = `/proc/${process.pid}/ns/uts`
    assert.strictEqual(join({ _tag: "NamespaceJoin", kind: "uts", path }).stdout, "first\n")
    assert.strictEqual(join({ _tag: "NamespaceEnter", process, kinds: ["uts", "mnt"] }).stdout, "first\n")
    assert.strictEqual(join({ _tag: "NamespaceJoin", kind: "net", path }).failed?.errno, 22)
    assert.strictEqual(join({ _tag: "NamespaceJoin", kind: "net", path: "/etc/passwd" }).failed?.errno, 22)
    assert.strictEqual(join({ _tag: "NamespaceJoin", kind: "net", path: "/proc/99999/ns/net" }).failed?.errno, 2)
    assert.strictEqual(join({ _tag: "NamespaceEnter", process: { ...process, startTime: 1 }, kinds: ["uts"] }).failed?.errno, 3)
  })

  it("of control groups show the container's own as the root", () => {
    const machine = new Machine()
    machine.do("CgroupEnsure", { directory: "/sys/fs/cgroup/fx/one" })
    const seen = output("cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; grep cgroup2 /proc/self/mountinfo", [
      { _tag: "NamespaceUnshare", kinds: ["cgroup"] },
      mountOf({ type: "cgroup2", source: "cgroup", target: "/sys/fs/cgroup", attributes: ["ro"] })
    ], { cgroup: "/sys/fs/cgroup/fx/one" }, machine)
    assert.match(seen, /^0::\/\n1\n/)
    assert.match(seen, / \/ \/sys\/fs\/cgroup ro,relatime - cgroup2 cgroup rw/)
  })

  it("of time move the clocks, but not before the boot", () => {
    const time = (seconds: number): InitOp => ({ _tag: "TimeNamespace", boottime: { seconds, nanoseconds: 0 } })
    assert.strictEqual(failure(time(-100_000)), "ERANGE write /proc/self/timens_offsets")
    assert.strictEqual(failure(time(1000)), "success")
  })
})

describe("a user namespace", () => {
  const mapped: Partial<SupervisorSpec> = {
    namespaces: ["user", "mnt", "pid", "uts", "ipc", "net"],
    uidMap: [{ inside: 0, outside: 100_000, count: 65_536 }], gidMap: [{ inside: 0, outside: 100_000, count: 65_536 }]
  }
  const noNode = ownRoot.filter((op) => op._tag !== "NodeMake")

  const inside = (script: string, machine = new Machine()) => {
    const ended = run(machine, specOf({ ...mapped, program: [...noNode, exec("sh", "-c", script)] }))
    assert.isUndefined(ended.failed, JSON.stringify(ended.failed))
    return { ended, machine }
  }

  it("makes an unprivileged user of the host its root", () => {
    const { ended, machine } = inside("id -u; cat /proc/self/uid_map; touch /made; stat -c %u /made /etc/passwd")
    assert.strictEqual(ended.stdout, "0\n         0     100000      65536\n0\n0\n")
    // On disk the ids are those of the image: the layers are mapped
    assert.strictEqual(machine.do("FileStat", { path: "/var/lib/test/upper/made", follow: false }).uid, 0)
  })

  it("has no power over the host", () => {
    const node: InitOp = { _tag: "NodeMake", path: "/x", type: "c", mode: 0o666, major: 1, minor: 3, uid: 0, gid: 0 }
    const machine = new Machine()
    prepare(machine)
    const { failed } = Client.start(machine, specOf({ ...mapped, program: [...noNode, node, exec("true")] })).finish()
    assert.deepStrictEqual([failed?.errno, failed?.syscall], [1, "mknodat"])
    assert.include(inside("echo 1 > /proc/sys/vm/swappiness; echo $?").ended.stdout, "1\n")
  })

  it("without maps is nobody's", () => {
    const machine = new Machine()
    prepare(machine)
    const { failed } = Client.start(machine, specOf({ ...mapped, uidMap: [], gidMap: [], program: [...noNode, exec("true")] })).finish()
    assert.deepStrictEqual([failed?.errno, failed?.path], [22, "user namespace"])
  })

  it("takes only maps that the kernel takes", () => {
    const machine = new Machine()
    prepare(machine)
    const overlapping = [{ inside: 0, outside: 1, count: 10 }, { inside: 5, outside: 100, count: 10 }]
    const { failed } = Client.start(machine, specOf({ ...mapped, uidMap: overlapping, program: [...noNode, exec("true")] })).finish()
    assert.deepStrictEqual([failed?.operation, failed?.errno], [-1, 22])
  })
})

describe("rights", () => {
  const chownAndKill = [0, 5]
  const drop: ReadonlyArray<InitOp> = [
    { _tag: "BoundingSet", capabilities: chownAndKill },
    { _tag: "User", uid: 0, gid: 0, groups: [] },
    { _tag: "Capabilities", effective: chownAndKill, permitted: chownAndKill, inheritable: [], ambient: [] }
  ]

  it("are what is left of them after the program begins", () => {
    const seen = output("grep Cap /proc/self/status", drop)
    assert.strictEqual(seen, [
      "CapInh:\t0000000000000000", "CapPrm:\t0000000000000021", "CapEff:\t0000000000000021", "CapBnd:\t0000000000000021",
      "CapAmb:\t0000000000000000", ""
    ].join("\n"))
  })

  it("go with the user, but for the ambient ones", () => {
    const user: ReadonlyArray<InitOp> = [
      { _tag: "User", uid: 33, gid: 33, groups: [5, 6] },
      { _tag: "Capabilities", effective: [0], permitted: [0], inheritable: [0], ambient: [0] }
    ]
    const seen = output("id; grep CapEff /proc/self/status; cat /etc/shadow; touch /x; touch /tmp/x", user)
    assert.include(seen, "uid=33(www-data) gid=33(www-data) groups=33(www-data),5(tty),6\n")
    assert.include(seen, "CapEff:\t0000000000000001\n")
    assert.include(seen, "cat: can't open '/etc/shadow': Permission denied\n")
    assert.include(seen, "touch: /x: Permission denied\n")
    assert.notInclude(seen, "/tmp/x")
  })

  it("can't be had again", () => {
    const more: InitOp = { _tag: "Capabilities", effective: [21], permitted: [21], inheritable: [], ambient: [] }
    assert.strictEqual(failure(more, {}, drop), "EPERM capset")
    assert.strictEqual(failure({ _tag: "Hostname", name: "x" }, {}, drop), "EPERM sethostname x")
    assert.strictEqual(failure(mountOf({}), {}, drop), "EPERM openat2 /mnt")
    assert.strictEqual(failure({ _tag: "Seccomp", filter: new Uint8Array(8), flags: [] }, {}, drop), "EACCES seccomp")
    assert.strictEqual(failure({ _tag: "Seccomp", filter: new Uint8Array(8), flags: [] }, {}, [{ _tag: "NoNewPrivileges" }, ...drop]), "success")
    assert.strictEqual(failure({ _tag: "User", uid: 5, gid: 5, groups: [] }, {}, drop), "EPERM setgroups")
  })

  it("are limited by seccomp filters of the right size", () => {
    assert.strictEqual(failure({ _tag: "Seccomp", filter: new Uint8Array(7), flags: [] }), "EINVAL seccomp")
    assert.strictEqual(failure({ _tag: "Seccomp", filter: new Uint8Array(8 * 4097), flags: [] }), "EINVAL seccomp")
    assert.include(output("grep Seccomp /proc/self/status", [{ _tag: "Seccomp", filter: new Uint8Array(8), flags: [] }]), "Seccomp:\t2")
  })
})

describe("the process", () => {
  it("has the limits, the mask, the score and the directory it was given", () => {
    const seen = output("grep 'open files' /proc/self/limits; cat /proc/self/oom_score_adj; umask; pwd", [
      { _tag: "Rlimit", resource: "nofile", soft: 100, hard: 200 },
      { _tag: "OomScoreAdjust", value: 300 },
      { _tag: "Umask", mask: 0o77 },
      { _tag: "WorkingDirectory", path: "/made/here", create: true }
    ])
    assert.match(seen, /^Max open files +100 +200 +files +\n300\n0077\n\/made\/here\n$/)
  })

  it("is refused what is none of these", () => {
    assert.strictEqual(failure({ _tag: "Rlimit", resource: "nofile", soft: 300, hard: 200 }), "EINVAL prlimit64 nofile")
    assert.strictEqual(failure({ _tag: "OomScoreAdjust", value: 2000 }), "EINVAL write /proc/self/oom_score_adj")
    assert.strictEqual(failure({ _tag: "WorkingDirectory", path: "/nosuch", create: false }), "ENOENT chdir /nosuch")
    assert.strictEqual(failure({ _tag: "WorkingDirectory", path: "/etc/passwd", create: true }), "ENOTDIR chdir /etc/passwd")
  })

  it("begins with umask 022 when nothing else is said", () => {
    assert.strictEqual(output("umask; touch /tmp/f; stat -c %a /tmp/f"), "0022\n644\n")
  })
})

describe("a start that fails at any operation", () => {
  it("leaves nothing behind, whatever errno it was", () => {
    const machine = new Machine()
    machine.do("CgroupEnsure", { directory: "/sys/fs/cgroup/fx/one" })
    prepare(machine)
    const baseline = machine.world
    const spec = containerOf(["sleep", "1"], {
      cgroup: "/sys/fs/cgroup/fx/one", killFiles: ["/sys/fs/cgroup/fx/one/cgroup.kill"], removeDirectories: ["/sys/fs/cgroup/fx/one"]
    }, [{ _tag: "Hostname", name: "x" }, mountOf({}), { _tag: "WorkingDirectory", path: "/tmp", create: false }])
    for (const [index, op] of spec.program.entries()) {
      for (const errno of possibleInitErrnos[op._tag]) {
        machine.world = { ...baseline, initFaults: [{ operation: index, occurrence: 0, errno }] }
        const client = Client.start(machine, spec)
        const { failed } = client.finish()
        assert.deepStrictEqual([failed?.operation, errnoName(failed?.errno ?? 0)], [index, errno])
        machine.do("ChannelClose", { channel: client.channel })
        assert.deepStrictEqual(leaks(baseline, machine.world, { allowed: ["/run/test", "/var/lib/test"] }), [])
        assert.deepStrictEqual(brokenInvariants(machine.world), [])
      }
    }
  })
})

describe("any order of operations", () => {
  const ops: ReadonlyArray<InitOp> = [
    ...ownRoot, mountOf({}), mountOf({ target: "/mnt/inner" }), mountOf({ target: "/etc", copyUp: true }),
    { _tag: "TreeOpen", slot: 0, source: "/etc", recursive: true }, { _tag: "TreeOpen", slot: 1, source: "/", recursive: false },
    { _tag: "MountTree", slot: 0, target: "/mnt", attributes: ["ro"], propagation: "rprivate" },
    { _tag: "MountTree", slot: 1, target: "/opt", attributes: [], propagation: "rslave" },
    { _tag: "MountPropagation", path: "/", propagation: "rshared" }, { _tag: "MountPropagation", path: "/", propagation: "rslave" },
    { _tag: "NamespaceUnshare", kinds: ["mnt", "uts"] }, { _tag: "NamespaceUnshare", kinds: ["cgroup", "pid"] },
    { _tag: "MaskPaths", paths: ["/etc", "/usr"] }, { _tag: "ReadonlyPaths", paths: ["/etc"] }, { _tag: "Hostname", name: "x" },
    { _tag: "User", uid: 33, gid: 33, groups: [] }, { _tag: "WorkingDirectory", path: "/tmp", create: true }
  ]

  it("keeps references, trees and counters right, and leaves nothing when the container has gone", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...ops), { maxLength: 12 }), fc.boolean(), (program, isolated) => {
      const machine = new Machine()
      prepare(machine)
      const before = machine.world
      const namespaces = isolated ? ["mnt", "pid", "uts"] as const : ["mnt"] as const
      const client = Client.start(machine, specOf({ namespaces, program: [...program, exec("sh", "-c", "exit 1")] }))
      client.finish()
      machine.do("ChannelClose", { channel: client.channel })
      machine.pass(1)
      assert.deepStrictEqual(brokenInvariants(machine.world), [])
      // A mount on a shared tree is seen by the host: only private ones vanish
      const kinds = leaks(before, machine.world, { allowed: ["/run/test", "/var/lib/test"] })
        .filter((one) => one.kind === "process" || one.kind === "namespace" || one.kind === "pipe")
      assert.deepStrictEqual(kinds, [])
    }), { numRuns: 150 })
  })
})
