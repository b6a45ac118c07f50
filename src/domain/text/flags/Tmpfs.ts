/** `--tmpfs TARGET[:OPTIONS]` (moby/sys, mount/flags_unix.go: MergeTmpfsOptions). */
import * as Result from "effect/Result"
import type { Mount } from "../../container/ContainerConfig.ts"
import { refuse, type TextError } from "../TextError.ts"
import { checkTarget, propagations } from "./MountRequest.ts"

const operation = "parse tmpfs"

const flags = [
  "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync",
  "mand", "nomand", "atime", "noatime", "diratime", "nodiratime", ...propagations, "relatime", "norelatime",
  "strictatime", "nostrictatime"
]

/** tmpfs(5). The values are the kernel's to judge, but these forms are all it takes. */
const valueForms: { readonly [key: string]: RegExp } = {
  size: /^[0-9]+[kKmMgGtTpPeE%]?$/,
  nr_blocks: /^[0-9]+[kKmMgGtTpPeE]?$/,
  nr_inodes: /^[0-9]+[kKmMgGtTpPeE]?$/,
  mode: /^[0-7]{1,4}$/,
  uid: /^[0-9]{1,10}$/,
  gid: /^[0-9]{1,10}$/,
  mpol: /^[a-z0-9:=-]+$/
}

const isOption = (option: string): boolean => {
  const equals = option.indexOf("=")
  if (equals < 0) return flags.includes(option)
  const key = option.slice(0, equals)
  return Object.hasOwn(valueForms, key) && valueForms[key]?.test(option.slice(equals + 1)) === true
}

/** Options stay in the order given; where two disagree the last counts. */
export const parseTmpfs = (text: string): Result.Result<Extract<Mount, { readonly _tag: "Tmpfs" }>, TextError> => {
  const colon = text.indexOf(":")
  const options = colon < 0 || colon === text.length - 1 ? [] : text.slice(colon + 1).split(",")
  const wrong = options.find((option) => !isOption(option))
  if (wrong !== undefined) {
    return refuse(
      operation, text, `Invalid tmpfs option ${JSON.stringify(wrong)}`,
      "use size=64m, mode=1777, uid=, gid=, nr_inodes=, exec, suid, dev, ro"
    )
  }
  const target = checkTarget(operation, text, colon < 0 ? text : text.slice(0, colon), "")
  return Result.map(target, (checked) => ({ _tag: "Tmpfs", target: checked, options }))
}
