/**
 * The program of the image fx/hello: tells what it sees from inside, in the words of the real one.
 */
import { perform, readFile, write } from "./calls.ts"
import { makeBehaviour, type Running } from "./makeBehaviour.ts"

const labelWidth = 14
const mountsShown = 8

/** include/uapi/linux/capability.h */
const capabilityNames = (
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable " +
  "net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio " +
  "sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time " +
  "sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog " +
  "wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split(" ")

function* textOf(path: string): Running<string> {
  const result = yield* readFile(path)
  return result.ok ? new TextDecoder().decode(result.value) : ""
}

const line = (name: string, value: string): string => `  ${name.padEnd(labelWidth)}${value}\n`

const field = (status: string, key: string): string =>
  (new RegExp(`^${key}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "").trim()

const capabilities = (hexadecimal: string): string => {
  const bits = BigInt(`0x${hexadecimal || "0"}`)
  const names = Array.from({ length: 64 }, (_, number) => number).filter((number) =>
    (bits >> BigInt(number)) & 1n
  )
    .map((number) => capabilityNames[number] ?? String(number))
  return names.length === 0 ? "0" : `${names.length}: ${names.join(" ")}`
}

const mounts = (mountinfo: string): string => {
  const lines = mountinfo.split("\n").filter((one) => one !== "")
  const shown = lines.slice(0, mountsShown).map((one) =>
    `${one.split(" ")[4]} ${one.split(" - ")[1]?.split(" ")[0]}`
  )
  return `${lines.length}: ${shown.join(", ")}${lines.length > mountsShown ? ", …" : ""}`
}

const units = [" B", " KiB", " MiB", " GiB", " TiB"]

const memoryLimit = (text: string): string => {
  let bytes = /^\d+/.test(text) ? BigInt(/^\d+/.exec(text)![0]) : 0n
  if (bytes === 0n || bytes >= 1n << 62n) return "unlimited"
  let unit = 0
  for (; unit < 4 && bytes % 1024n === 0n; unit++) bytes /= 1024n
  return `${bytes}${units[unit]}`
}

const cpuLimit = (quota: string, period: string): string => {
  const [used, of] = [Number(/^\d+/.exec(quota)?.[0] ?? 0), Number(/^\d+/.exec(period)?.[0] ?? 0)]
  if (used === 0 || of === 0) return "unlimited"
  const hundredths = Math.floor((used * 100 + of / 2) / of)
  const fraction = hundredths % 100 === 0
    ? ""
    : `.${String(hundredths % 100).padStart(2, "0").replace(/0$/, "")}`
  return `${Math.floor(hundredths / 100)}${fraction}${hundredths === 100 ? " CPU" : " CPUs"}`
}

/** The first line of the first of the files that is there. */
function* firstOf(...paths: ReadonlyArray<string>): Running<string> {
  for (const path of paths) {
    const text = (yield* textOf(path)).split("\n")[0]!
    if (text !== "") return text
  }
  return ""
}

function* limits(): Running<string> {
  const memory = yield* firstOf(
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes"
  )
  const pids = yield* firstOf("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max")
  const unified = yield* firstOf("/sys/fs/cgroup/cpu.max")
  const quota = unified || (yield* firstOf("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"))
  const period = unified.split(" ")[1] ?? (yield* firstOf("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))
  return line("memory limit", memory === "" ? "not visible" : memoryLimit(memory)) +
    line("pids limit", pids === "" ? "not visible" : pids === "max" ? "unlimited" : pids) +
    line("cpu limit", quota === "" ? "not visible" : cpuLimit(quota, period))
}

function* namespaces(): Running<string> {
  const links: Array<string> = []
  for (const kind of ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time"]) {
    const found = yield* perform<{ readonly target?: string }>({
      _tag: "Stat",
      path: `/proc/self/ns/${kind}`,
      follow: false
    })
    if (found.ok && found.value.target !== undefined) links.push(found.value.target)
  }
  return links.join(" ")
}

export const hello = makeBehaviour(function*({ argv }) {
  if (argv.length === 3 && argv[1] === "--exit" && /^\d+$/.test(argv[2]!)) return Number(argv[2])
  if (argv.length !== 1) {
    yield* write("hello: usage: hello [--exit STATUS]\n", 2)
    return 2
  }
  const status = yield* textOf("/proc/self/status")
  const id = (key: string) => field(status, key).split("\t")[0] ?? ""
  const page =
    "Hello from inside a container of fx-engine! This is what it looks like from here:\n\n" +
    line("hostname", (yield* textOf("/proc/sys/kernel/hostname")).split("\n")[0]!) +
    line("process", `pid ${field(status, "Pid")}, parent ${field(status, "PPid")}`) +
    line(
      "user",
      `uid ${id("Uid")}, gid ${id("Gid")}, groups ${field(status, "Groups") || "none"}`
    ) +
    line("capabilities", capabilities(field(status, "CapEff"))) +
    line(
      "security",
      `no_new_privs ${field(status, "NoNewPrivs")}, seccomp ${field(status, "Seccomp")}`
    ) +
    line("mounts", mounts(yield* textOf("/proc/self/mountinfo"))) +
    (yield* limits()) +
    line("namespaces", yield* namespaces()) +
    "\nTry next: fx-engine run --rm -it --rootfs / -- bash\n"
  yield* write(page)
  return 0
})
