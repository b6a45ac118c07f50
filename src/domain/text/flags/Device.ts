/** `--device HOST[:CONTAINER[:PERMISSIONS]]` and `--device-cgroup-rule` (docker/cli, cli/command/container/opts.go). */
import * as Result from "effect/Result"
import type { DeviceMapping } from "../../container/ContainerConfig.ts"
import { cleanPath, isAbsolute } from "../PosixPath.ts"
import { refuse, type TextError } from "../TextError.ts"

const operation = "parse device"
const cure = "write HOST[:CONTAINER[:PERMISSIONS]], such as /dev/fuse or /dev/sda:/dev/xvda:r"

/** Some of `r`, `w`, `m` (mknod), each once. */
const isPermissions = (text: string): boolean => /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length

/** Permissions default to `rwm`, the path in the container to the host's; `HOST:PERMISSIONS` is understood too. */
export const parseDevice = (text: string): Result.Result<DeviceMapping, TextError> => {
  const [host = "", second, third, ...more] = text.split(":", 4)
  if (host === "" || more.length > 0) return refuse(operation, text, `bad format for path: ${text}`, cure)
  const secondIsPermissions = third === undefined && second !== undefined && isPermissions(second)
  const container = second === undefined || secondIsPermissions ? host : second
  const permissions = third ?? (secondIsPermissions ? second : "rwm")
  if (!isPermissions(permissions)) {
    return refuse(operation, text, `bad mode specified: ${permissions}`, "use a combination of r, w and m")
  }
  for (const path of [container, host]) {
    if (!isAbsolute(path)) return refuse(operation, text, `${path} is not an absolute path`, cure)
  }
  return Result.succeed({ pathOnHost: cleanPath(host), pathInContainer: cleanPath(container), permissions })
}

/** `TYPE MAJOR:MINOR ACCESS` as the devices cgroup writes it: `c 10:229 rwm`, `*` for any number, type `a` for all. */
export const parseDeviceCgroupRule = (text: string): Result.Result<string, TextError> =>
  /^[acb] ([0-9]{1,9}|\*):([0-9]{1,9}|\*) [rwm]{1,3}$/.test(text)
    ? Result.succeed(text)
    : refuse(
      "parse device cgroup rule", text, `invalid device cgroup format '${text}'`,
      "write TYPE MAJOR:MINOR ACCESS, such as 'c 10:229 rwm'"
    )
