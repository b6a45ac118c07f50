/** Which sysctls a container may set: those that belong to a namespace of its own, as Docker and runc rule. */
import * as Result from "effect/Result"

/** ipc_namespaces(7): everything System V and POSIX message queues keep per namespace. */
const ipcSysctls = new Set([
  "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
  "kernel.shmmni", "kernel.shm_rmid_forced"
])

/** `net/ipv4/ip_forward` and `net.ipv4.ip_forward` are one key (sysctl(8)): dots it is. */
export const normalizeSysctl = (key: string): string => {
  const separator = /[./]/.exec(key)?.[0]
  return separator === "/" ? key.replace(/[./]/g, (found) => found === "/" ? "." : "/") : key
}

export const checkSysctls = (
  sysctls: { readonly [key: string]: string },
  own: { readonly net: boolean; readonly ipc: boolean; readonly uts: boolean }
): Result.Result<{ readonly [key: string]: string }, string> => {
  const checked: Record<string, string> = {}
  for (const [given, value] of Object.entries(sysctls)) {
    const key = normalizeSysctl(given)
    const refuse = (why: string) => Result.fail(`sysctl '${given}' is not allowed: ${why}`)
    if (key.split(".").some((part) => part === "" || part.includes(".."))) return refuse("not a sysctl's name")
    if (ipcSysctls.has(key) || key.startsWith("fs.mqueue.")) {
      if (!own.ipc) return refuse("the container shares the IPC namespace; use --ipc private")
    } else if (key.startsWith("net.")) {
      if (!own.net) return refuse("the container shares the network namespace; set it there")
    } else if (key === "kernel.domainname") {
      if (!own.uts) return refuse("the container shares the UTS namespace; use a private one")
    } else if (key === "kernel.hostname") return refuse("use --hostname")
    else return refuse("it is not namespaced, so it would change the host")
    checked[key] = value
  }
  return Result.succeed(checked)
}
