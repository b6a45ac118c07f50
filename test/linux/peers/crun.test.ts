/**
 * Against crun: what a probe sees inside a container of ours is what it sees under crun given the same OCI
 * spec, option by option. Where the two differ by design the difference is listed here with its reason.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { ContainerConfig } from "../../../src/domain/container/ContainerConfig.ts"
import type { RuntimeSpec } from "../../../src/domain/oci/RuntimeSpec.ts"
import { create } from "../../../src/programs/container/create.ts"
import { prepareStart } from "../../../src/programs/container/prepareStart.ts"
import { remove } from "../../../src/programs/container/remove.ts"
import { patience, RealEngine, runToEnd, titled, unavailable } from "../RealEngine.ts"

const crun = spawnSync("crun", ["--version"]).status === 0
const missing = unavailable ?? (crun ? undefined : "needs crun: apt-get install crun")

const probe = readFileSync(join(import.meta.dirname, "probe.sh"), "utf8")
const hostNamespaces = ["pid", "net", "ipc", "mnt", "uts", "user", "cgroup", "time"].map((name) =>
  `HOST_${name}=${readlinkSync(`/proc/self/ns/${name}`)}`)

/** Lines of a section that are not compared, and why. */
const differences: ReadonlyArray<{ readonly section: string; readonly line: RegExp; readonly reason: string }> = [
  { section: "mounts", line: /^\/(proc|sys)\/(kcore|keys|timer_list|interrupts|sched_debug|latency_stats|scsi|acpi|firmware|asound|timer_stats)/,
    reason: "both mask, crun by binding /dev/null and a tmpfs, we by /dev/null and one shared empty tmpfs: see `masks`" },
  { section: "mounts", line: /^\/sys\/fs\/cgroup/, reason: "same file systems; crun mounts the container's directories, we a view per hierarchy" },
  { section: "mounts", line: /^\/dev\/console /, reason: "crun binds the host's pty, we a pty of the container's own devpts" },
  { section: "mounts", line: /^\/proc\/(bus|fs|irq|sys|sysrq-trigger) /,
    reason: "read-only in both; crun's remount loses nosuid, nodev and noexec of /proc, ours keeps them" },
  { section: "mounts", line: /^\/dev\/shm tmpfs rw,(nosuid,nodev,)?relatime/,
    reason: "--ipc host: crun's remount loses what the host's /dev/shm forbids, ours keeps it" },
  { section: "mounts", line: /^\/mnt\/lib\/modules\//,
    reason: "the virtual machine of the cgroup v2 suite has a mount below /usr: crun 1.8 takes it along with `bind` too, we only with `rbind`" },
  { section: "cgroups", line: /^devices\/devices.list /,
    reason: "equal in effect: mknod of any node is allowed, so whether a rule of one node repeats it says nothing; see `open`" },
  { section: "cgroups", line: /^cpu\.weight /,
    reason: "crun before 1.23 turns shares into a weight by a straight line, which gives the usual 1024 shares 39 instead of 100" },
  { section: "status", line: /^Seccomp:/, reason: "compared on its own below" }
]

/** Words that are left out of the lines of a section, and why. */
const words: ReadonlyArray<{ readonly section: string; readonly word: RegExp; readonly reason: string }> = [
  { section: "root", word: /,(no|rel)atime\b/,
    reason: "crun binds the directory, which keeps the option of its file system; ours is an overlay, which has its own" }
]

type Section = ReadonlyMap<string, ReadonlyArray<string>>

const sections = (text: string): Section => {
  const found = new Map<string, Array<string>>()
  let current: Array<string> = []
  for (const line of text.replaceAll("\r", "").replaceAll("^@", "").split("\n")) {
    if (line.startsWith("## ")) found.set(line.slice(3), current = [])
    else if (line !== "") current.push(line)
  }
  return found
}

const compared = (name: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.filter((line) => !differences.some((one) => one.section === name && one.line.test(line)))
    .map((line) => words.reduce((left, { section, word }) => section === name ? left.replace(word, "") : left, line))

/** A disk of this machine, if it has one: what is read and written there can be limited. */
const disk = readdirSync("/sys/block").map((name) => `/dev/${name}`).find((path) => /\/(vd|sd|xvd|nvme)/.test(path) && existsSync(path))
const throttled = (path: string): Partial<ContainerConfig> => ({
  resources: {
    blkioDeviceReadBps: [{ path, rate: 1 << 20 }], blkioDeviceWriteBps: [{ path, rate: 2 << 20 }],
    blkioDeviceReadIOps: [{ path, rate: 100 }], blkioDeviceWriteIOps: [{ path, rate: 200 }]
  }
})

/** The table: a name and what the configuration has more than a plain one. */
const options: ReadonlyArray<readonly [string, Partial<ContainerConfig>]> = [
  ["nothing at all", {}],
  ["--hostname", { hostname: "probe" }],
  ["--domainname", { domainname: "example.org" }],
  ["-e", { env: ["A=1", "EMPTY=", "PATH=/bin"] }],
  ["-w existing", { workingDirectory: "/tmp" }],
  ["-w missing", { workingDirectory: "/made/for/it" }],
  ["-u name", { user: "alice" }],
  ["-u number", { user: "4711" }],
  ["-u name:group", { user: "alice:staff" }],
  ["-u number:number", { user: "12:34" }],
  ["--group-add", { groupAdd: ["staff", "77"] }],
  ["-u with --group-add", { user: "alice", groupAdd: ["wheel"] }],
  ["--cap-add", { capAdd: ["NET_ADMIN"] }],
  ["--cap-drop", { capDrop: ["CHOWN", "MKNOD"] }],
  ["--cap-drop ALL", { capDrop: ["ALL"] }],
  ["--cap-add ALL", { capAdd: ["ALL"] }],
  ["--cap-drop ALL --cap-add", { capDrop: ["ALL"], capAdd: ["SETUID", "SYS_PTRACE"] }],
  ["--cap-add with -u", { capAdd: ["NET_ADMIN"], user: "alice" }],
  ["--security-opt no-new-privileges", { noNewPrivileges: true }],
  ["--security-opt no-new-privileges with -u", { noNewPrivileges: true, user: "alice" }],
  ["--security-opt seccomp=unconfined", { seccomp: "unconfined" }],
  ["--security-opt systempaths=unconfined", { confineSystemPaths: false }],
  ["--privileged", { privileged: true }],
  ["--read-only", { readonlyRootfs: true }],
  ["--read-only --tmpfs", { readonlyRootfs: true, mounts: [{ _tag: "Tmpfs", target: "/tmp", options: [] }] }],
  ["--tmpfs size and mode", { mounts: [{ _tag: "Tmpfs", target: "/run", options: ["size=64k", "mode=1777"] }] }],
  ["--tmpfs exec", { mounts: [{ _tag: "Tmpfs", target: "/run", options: ["exec", "size=1m"] }] }],
  ["--shm-size", { shmSize: 1 << 20 }],
  ["--memory", { resources: { memory: 64 << 20 } }],
  ["--memory-reservation", { resources: { memory: 64 << 20, memoryReservation: 32 << 20 } }],
  ["--cpu-shares", { resources: { cpuShares: 512 } }],
  ["--cpus", { resources: { nanoCpus: 500_000_000 } }],
  ["--cpu-quota", { resources: { cpuQuota: 25_000 } }],
  ["--cpu-period", { resources: { cpuPeriod: 50_000 } }],
  ["--cpu-period and --cpu-quota", { resources: { cpuPeriod: 50_000, cpuQuota: 20_000 } }],
  ["--cpuset-cpus", { resources: { cpusetCpus: "0" } }],
  ["--cpuset-mems", { resources: { cpusetMems: "0" } }],
  ...(disk === undefined ? [] : [["--device-read-bps and the like", throttled(disk)] as const]),
  ["--pids-limit", { resources: { pidsLimit: 77 } }],
  ["--ulimit nofile", { ulimits: [{ name: "nofile", soft: 512, hard: 1024 }] }],
  ["--ulimit nproc", { ulimits: [{ name: "nproc", soft: 200, hard: 300 }] }],
  ["--ulimit core", { ulimits: [{ name: "core", soft: 0, hard: 0 }] }],
  ["--ulimit memlock unlimited", { ulimits: [{ name: "memlock", soft: -1, hard: -1 }] }],
  ["--ulimit several", { ulimits: [{ name: "nofile", soft: 99, hard: 99 }, { name: "stack", soft: 8 << 20, hard: 16 << 20 }] }],
  ["--oom-score-adj", { oomScoreAdj: 500 }],
  ["--oom-score-adj negative", { oomScoreAdj: -500 }],
  ["--sysctl net", { sysctls: { "net.ipv4.ip_forward": "1" } }],
  ["--sysctl ipc", { sysctls: { "kernel.shmmax": "1000000", "kernel.msgmax": "4096" } }],
  ["--sysctl mqueue", { sysctls: { "fs.mqueue.msg_max": "20" } }],
  ["--network host", { networkMode: "host" }],
  ["--pid host", { pidMode: "host" }],
  ["--ipc host", { ipcMode: "host" }],
  ["--ipc none", { ipcMode: "none" }],
  ["--uts host", { utsMode: "host" }],
  ["--cgroupns host", { cgroupnsMode: "host" }],
  ["--device", { devices: [{ pathOnHost: "/dev/kmsg", pathInContainer: "/dev/kmsg", permissions: "rwm" }] }],
  ["--device renamed, read only", { devices: [{ pathOnHost: "/dev/kmsg", pathInContainer: "/dev/log-of-host", permissions: "r" }] }],
  ["--device-cgroup-rule", { deviceCgroupRules: ["b 254:* r"] }],
  ["-v directory", { mounts: [{ _tag: "Bind", source: "/usr", target: "/mnt/usr", readonly: false, recursive: "enabled", propagation: "", createSource: false }] }],
  ["-v directory:ro", { mounts: [{ _tag: "Bind", source: "/usr", target: "/mnt/usr", readonly: true, recursive: "enabled", propagation: "", createSource: false }] }],
  ["-v file", { mounts: [{ _tag: "Bind", source: "/etc/group", target: "/etc/group", readonly: true, recursive: "enabled", propagation: "", createSource: false }] }],
  ["-v with rslave", { mounts: [{ _tag: "Bind", source: "/usr", target: "/mnt", readonly: false, recursive: "enabled", propagation: "rslave", createSource: false }] }],
  ["--mount bind-recursive=disabled", { mounts: [{ _tag: "Bind", source: "/usr", target: "/mnt", readonly: true, recursive: "disabled", propagation: "", createSource: false }] }],
  ["-t", { tty: true, consoleSize: [24, 80] }],
  ["several limits at once", { resources: { memory: 128 << 20, pidsLimit: 50, cpuShares: 256, cpusetCpus: "0" } }],
  ["a hardened service", {
    user: "alice", readonlyRootfs: true, capDrop: ["ALL"], noNewPrivileges: true, resources: { memory: 64 << 20, pidsLimit: 20 },
    mounts: [{ _tag: "Tmpfs", target: "/tmp", options: ["size=1m"] }]
  }]
]

describe.skipIf(missing !== undefined)(titled("the same spec under crun"), () => {
  const real = new RealEngine()
  beforeAll(() => void real.make())
  afterAll(() => real.dispose())

  /** The OCI spec of a configuration, with a root and a cgroup of crun's own. */
  const specOf = (config: ContainerConfig) =>
    real.run(Effect.gen(function*() {
      const { stored } = yield* create(config, "")
      const { before, spec } = yield* prepareStart(stored.record, [])
      yield* remove(stored, { force: true })
      const files = before.flatMap((op) => op.tag === "FileWrite" ? [op.payload] : [])
      return { id: stored.record.id, spec, files }
    }))

  const underCrun = async (config: ContainerConfig) => {
    const { files, id, spec } = await specOf(config)
    const bundle = join(real.directory, `bundle-${id.slice(0, 12)}`)
    mkdirSync(bundle)
    cpSync(real.rootfs, join(bundle, "rootfs"), { recursive: true, verbatimSymlinks: true })
    for (const file of files) {
      mkdirSync(join(file.path, ".."), { recursive: true })
      writeFileSync(file.path, file.text)
    }
    // crun 1.8 takes a recursive bind of a file for one of a directory
    const mounts = spec.mounts.map((mount) =>
      mount.source?.startsWith("/") === true && existsSync(mount.source) && statSync(mount.source).isFile()
        ? { ...mount, options: (mount.options ?? []).map((word) => word === "rbind" ? "bind" : word === "rro" ? "ro" : word) }
        : mount)
    const adapted: RuntimeSpec = {
      // Debian 12 has a crun that knows version 1.0 of the specification; nothing of 1.2 alone is used here
      ...spec, ociVersion: "1.0.2", mounts, root: { ...spec.root, path: "rootfs" }, linux: { ...spec.linux, cgroupsPath: `/fx-test-crun-${id.slice(0, 12)}` }
    }
    writeFileSync(join(bundle, "config.json"), JSON.stringify(adapted))
    const state = join(real.directory, "crun")
    try {
      // crun refuses a host whose cgroup2 has controllers beside v1: it is shown one without cgroup2
      const hide = "umount /sys/fs/cgroup/unified 2>/dev/null; "
      const command = `${hide}exec crun --root ${state} run -b ${bundle} ${id.slice(0, 12)}`
      const argv = config.tty ? ["script", "-qec", command, "/dev/null"] : ["sh", "-c", command]
      return execFileSync("unshare", ["-m", ...argv], { encoding: "utf8", input: "", timeout: 20_000 * patience })
    } finally {
      rmSync(bundle, { recursive: true, force: true })
      for (const file of files) rmSync(join(file.path, "../.."), { recursive: true, force: true })
    }
  }

  for (const [name, more] of options) {
    it(`${name}: the probe sees the same`, async () => {
      const config = real.config(["sh", "-c", probe], { ...more, env: [...(more.env ?? []), ...hostNamespaces] })
      const hostname = more.hostname ?? "probe-host"
      const named = more.utsMode === "host" || more.networkMode === "host" ? config : { ...config, hostname }
      const ourOutcome = await real.run(Effect.result(runToEnd(named)))
      const text = await underCrun(named).catch((error: unknown) => String(error))
      if (!text.includes("## session")) {
        // What this machine does not allow, it must not allow us either
        assert.isTrue(Result.isFailure(ourOutcome), `crun refuses, we do not: ${text}`)
        return
      }
      const [theirs, ours] = [sections(text), sections(Result.getOrThrow(ourOutcome).stdout)]
      assert.isAbove(ours.size, 10)
      for (const [section, lines] of theirs) {
        assert.deepStrictEqual(compared(section, ours.get(section) ?? []), compared(section, lines), `${name}, ${section}`)
      }
    })
  }
})
