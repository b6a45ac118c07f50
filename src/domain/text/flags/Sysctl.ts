/**
 * `--sysctl KEY=VALUE` (docker/cli, opts/opts.go). Whether the key is in a namespace of the
 * container is checked later.
 */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../TextError.ts"

/** ipc_namespaces(7); kernel.domainname lives in the UTS namespace. */
const namespaced = [
  "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
  "kernel.shm_rmid_forced", "kernel.domainname"
]

/** Key with dots or slashes; only keys that some namespace holds are let through. */
export const parseSysctl = (
  text: string
): Result.Result<{ readonly key: string; readonly value: string }, TextError> => {
  const equals = text.indexOf("=")
  const key = text.slice(0, Math.max(equals, 0))
  const dotted = /^[a-z]+\//.test(key) ? key.replaceAll("/", ".") : key
  const allowed = namespaced.includes(dotted) || dotted.startsWith("net.") || dotted.startsWith("fs.mqueue.")
  return allowed && !/[\s\0]/.test(key)
    ? Result.succeed({ key, value: text.slice(equals + 1) })
    : refuse(
      "parse sysctl", text, `sysctl '${text}' is not allowed`,
      "write KEY=VALUE with a key of net., fs.mqueue. or System V IPC (kernel.msg*, kernel.sem, kernel.shm*)"
    )
}
