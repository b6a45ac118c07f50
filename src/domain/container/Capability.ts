/** Capabilities by name and number, and Docker's rules for --cap-add, --cap-drop and --privileged. */
import * as Result from "effect/Result"

/** In the order of include/uapi/linux/capability.h: the index is the number. */
export const capabilityNames = [
  "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
  "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
  "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"
] as const

/** moby oci/caps/defaults.go */
export const defaultCapabilities: ReadonlyArray<string> = [
  "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
  "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"
]

const numbers = new Map<string, number>(capabilityNames.map((name, number) => [name, number]))

/** The number of `CAP_X`; undefined for a name this engine does not know. */
export const capabilityNumber = (name: string): number | undefined => numbers.get(name)

/** `net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are one; `ALL` stays. */
export const normalizeCapability = (name: string): string => {
  const upper = name.toUpperCase()
  return upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`
}

/**
 * The set a container gets. As Docker: --privileged wins; `--cap-add ALL` starts from all, then drops;
 * `--cap-drop ALL` starts from none, then adds; otherwise the default set, minus drops, plus adds.
 * `held`: numbers that the engine itself has; as in Docker, "all" means all of these. Fails with the name that
 * no kernel knows.
 */
export const capabilitySet = (
  options: {
    readonly add: ReadonlyArray<string>
    readonly drop: ReadonlyArray<string>
    readonly privileged: boolean
    readonly held: ReadonlyArray<number>
  }
): Result.Result<ReadonlyArray<string>, string> => {
  const known = capabilityNames.filter((_, number) => options.held.includes(number))
  const add = options.add.map(normalizeCapability)
  const drop = options.drop.map(normalizeCapability)
  const unknown = [...add, ...drop].find((name) => name !== "ALL" && !numbers.has(name))
  if (unknown !== undefined) return Result.fail(unknown)
  if (options.privileged) return Result.succeed(known)
  let wanted: Set<string>
  if (add.includes("ALL")) {
    wanted = drop.includes("ALL")
      ? new Set(add)
      : new Set([...known].filter((name) => !drop.includes(name)))
  } else if (drop.includes("ALL")) wanted = new Set(add)
  else {
    wanted = new Set(defaultCapabilities.filter((name) => !drop.includes(name)))
    for (const name of add) wanted.add(name)
  }
  // One that was asked for by name and cannot be had is left in: the kernel refuses it, and the user learns why
  return Result.succeed(capabilityNames.filter((name) =>
    wanted.has(name) && (known.includes(name) || add.includes(name))))
}
