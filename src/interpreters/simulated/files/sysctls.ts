/**
 * /proc/sys: which settings there are, to which namespace each belongs, and what the kernel takes
 * for them (Documentation/admin-guide/sysctl/).
 */
import { current, type Draft, fail } from "../Draft.ts"
import { capability, requireCapability } from "../processes/credentials.ts"
import { alterNamespace, namespaceAt } from "../processes/namespaces.ts"

type Scope = "host" | "ipc" | "net" | "uts"

interface Setting {
  readonly scope: Scope
  readonly initial: string
  /** Bounds of an integer; absent: any text. */
  readonly range?: readonly [number, number]
  /** How many integers, white space between. */
  readonly fields?: number
  readonly readOnly?: boolean
}

const most = 2 ** 31 - 1

const integer = (scope: Scope, initial: number, minimum = 0, maximum = most): Setting => ({
  scope,
  initial: String(initial),
  range: [minimum, maximum]
})

const text = (scope: Scope, initial: string): Setting => ({ scope, initial })

const fixed = (initial: string): Setting => ({ scope: "host", initial, readOnly: true })

/** By path below /proc/sys. Defaults as on a 6.18 kernel. */
const settings: { readonly [key: string]: Setting } = {
  "kernel/msgmax": integer("ipc", 8192),
  "kernel/msgmnb": integer("ipc", 16384),
  "kernel/msgmni": integer("ipc", 32000, 0, 2 ** 24),
  "kernel/sem": {
    scope: "ipc",
    initial: "32000\t1024000000\t500\t32000",
    range: [0, most],
    fields: 4
  },
  "kernel/shmall": { scope: "ipc", initial: "18446744073692774399", range: [0, 2 ** 64] },
  "kernel/shmmax": { scope: "ipc", initial: "18446744073692774399", range: [0, 2 ** 64] },
  "kernel/shmmni": integer("ipc", 4096, 0, 2 ** 24),
  "kernel/shm_rmid_forced": integer("ipc", 0, 0, 1),
  "fs/mqueue/msg_default": integer("ipc", 10, 1, 65536),
  "fs/mqueue/msg_max": integer("ipc", 10, 1, 65536),
  "fs/mqueue/msgsize_default": integer("ipc", 8192, 128, 16777216),
  "fs/mqueue/msgsize_max": integer("ipc", 8192, 128, 16777216),
  "fs/mqueue/queues_max": integer("ipc", 256),
  "kernel/hostname": text("uts", ""),
  "kernel/domainname": text("uts", ""),
  "net/core/somaxconn": integer("net", 4096),
  "net/ipv4/ip_forward": integer("net", 0),
  "net/ipv4/ip_default_ttl": integer("net", 64, 1, 255),
  "net/ipv4/ip_unprivileged_port_start": integer("net", 1024, 0, 65535),
  "net/ipv4/ip_local_port_range": {
    scope: "net",
    initial: "32768\t60999",
    range: [1, 65535],
    fields: 2
  },
  "net/ipv4/ping_group_range": { scope: "net", initial: "1\t0", range: [0, 2 ** 32], fields: 2 },
  "net/ipv4/tcp_syncookies": integer("net", 1, 0, 2),
  "net/ipv4/tcp_keepalive_time": integer("net", 7200),
  "net/ipv4/conf/all/forwarding": integer("net", 0),
  "net/ipv4/conf/default/rp_filter": integer("net", 0),
  "net/ipv6/conf/all/disable_ipv6": integer("net", 0),
  "net/ipv6/conf/default/disable_ipv6": integer("net", 0),
  "kernel/cap_last_cap": fixed(""),
  "kernel/osrelease": fixed(""),
  "kernel/random/boot_id": fixed(""),
  "kernel/ostype": fixed("Linux"),
  "kernel/overflowuid": integer("host", 65534),
  "kernel/overflowgid": integer("host", 65534),
  "kernel/pid_max": integer("host", 4194304, 301, 4194304),
  "kernel/threads-max": integer("host", 192728, 20),
  "kernel/panic": integer("host", 0, -most),
  "kernel/core_pattern": text("host", "core"),
  "kernel/randomize_va_space": integer("host", 2),
  "kernel/keys/root_maxkeys": integer("host", 1000000),
  "vm/overcommit_memory": integer("host", 0, 0, 2),
  "vm/swappiness": integer("host", 60, 0, 200),
  "vm/max_map_count": integer("host", 65530),
  "vm/drop_caches": integer("host", 0, 1, 4),
  "fs/file-max": { scope: "host", initial: "9223372036854775807", range: [0, 2 ** 64] },
  "fs/nr_open": integer("host", 1048576),
  "user/max_user_namespaces": integer("host", 96364)
}

/** Names below a directory of /proc/sys ("" the top); `undefined` when the key is none. */
export const sysctlNames = (directory: string): ReadonlyArray<string> | undefined => {
  const prefix = directory === "" ? "" : `${directory}/`
  const names = new Set<string>()
  for (const key of Object.keys(settings)) {
    if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split("/")[0]!)
  }
  return names.size === 0 ? undefined : [...names].sort()
}

export const isSysctl = (key: string): boolean => settings[key] !== undefined

export const isWritableSysctl = (key: string): boolean => settings[key]?.readOnly !== true

const stored = (draft: Draft, key: string, scope: Scope): string | undefined => {
  const { ipc, net } = current(draft).namespaces
  switch (scope) {
    case "host":
      return draft.sysctls[key]
    case "ipc":
      return namespaceAt(draft, "ipc", ipc).sysctls[key]
    case "net":
      return namespaceAt(draft, "net", net).sysctls[key]
    case "uts":
      return undefined
  }
}

/** A UUID of version 4 that is of this boot alone. */
export const bootIdOf = ({ bootedAt }: Draft): string => {
  const digits = BigInt(bootedAt).toString(16).padStart(20, "0")
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4000-8000-0000${digits.slice(12)}`
}

/** Text of a setting as the calling process sees it. */
export const readSysctl = (draft: Draft, key: string): string => {
  const setting = settings[key] ?? fail("ENOENT")
  const { uts } = current(draft).namespaces
  if (key === "kernel/hostname") return `${namespaceAt(draft, "uts", uts).hostname}\n`
  if (key === "kernel/domainname") {
    return `${namespaceAt(draft, "uts", uts).domainname || "(none)"}\n`
  }
  if (key === "kernel/cap_last_cap") return `${draft.host.lastCapability}\n`
  if (key === "kernel/random/boot_id") return `${bootIdOf(draft)}\n`
  if (key === "kernel/osrelease") return `${draft.host.kernelRelease}\n`
  return `${stored(draft, key, setting.scope) ?? setting.initial}\n`
}

const parse = (setting: Setting, value: string): string => {
  if (setting.range === undefined) return value
  const fields = value.trim().split(/\s+/)
  const [minimum, maximum] = setting.range
  for (const field of fields) {
    if (!/^-?\d+$/.test(field) || Number(field) < minimum || Number(field) > maximum) fail("EINVAL")
  }
  if (fields.length > (setting.fields ?? 1)) fail("EINVAL")
  return fields.join("\t")
}

/**
 * Writes a setting: EINVAL for what the kernel refuses, EPERM or EACCES for what the caller may
 * not.
 */
export const writeSysctl = (draft: Draft, key: string, value: string): void => {
  const setting = settings[key] ?? fail("ENOENT")
  const process = current(draft)
  const { ipc, net, uts } = process.namespaces
  const accepted = parse(setting, value.replace(/\n$/, ""))
  const owner = (namespace: number) => draft.namespaces.get(namespace)!.owner || draft.initial.user
  switch (setting.scope) {
    case "host":
      // Root's files: only those who are root on the host may write them
      if (process.uid !== 0) fail("EACCES")
      draft.sysctls = { ...draft.sysctls, [key]: accepted }
      return
    case "ipc":
      requireCapability(draft, process, capability.sysResource, owner(ipc))
      return alterNamespace(draft, "ipc", ipc, {
        sysctls: { ...namespaceAt(draft, "ipc", ipc).sysctls, [key]: accepted }
      })
    case "net":
      requireCapability(draft, process, capability.netAdmin, owner(net))
      return alterNamespace(draft, "net", net, {
        sysctls: { ...namespaceAt(draft, "net", net).sysctls, [key]: accepted }
      })
    case "uts":
      requireCapability(draft, process, capability.sysAdmin, owner(uts))
      return alterNamespace(
        draft,
        "uts",
        uts,
        key === "kernel/hostname" ? { hostname: accepted } : { domainname: accepted }
      )
  }
}
