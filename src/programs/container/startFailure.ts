/** Says in a user's words why a supervisor could not start its container. */
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { errnoMeaning, errnoName } from "../../domain/kernel/errno.ts"
import type { InitOp } from "../../domain/kernel/InitOp.ts"
import type { Frame } from "../../domain/kernel/Supervisor.ts"

const hints: { readonly [operation: string]: string } = {
  TreeOpen: "the source of a bind mount must exist on the host",
  MountTree: "source and target of a bind mount must be of one kind, file or directory",
  RootBind: "the container's own tree is missing, or its file system cannot map ids (btrfs from Linux 5.15 on, ext4 and xfs can)",
  RootOverlay: "overlayfs needs an upper directory on a file system that supports it, such as ext4 or xfs",
  Sysctl: "see the kernel's documentation for the values it takes",
  WorkingDirectory: "the working directory must be a directory inside the container",
  DirMake: "the working directory must be a directory inside the container",
  Rlimit: "a hard limit cannot be above fs.nr_open (open files), nor above the engine's own without CAP_SYS_RESOURCE"
}

/** `operation`: what the user asked for, `start` or `exec`. */
export const startFailure = (
  operation: "start" | "exec", name: string, program: ReadonlyArray<InitOp>,
  frame: Extract<Frame, { readonly _tag: "Failed" }>
): ContainerError => {
  const errno = errnoName(frame.errno)
  const meaning = errnoMeaning(errno)
  const op = program[frame.operation]
  if (op?._tag === "Exec") {
    // As Docker's CLI: 127 for a command that is not there, 126 for one that cannot be executed
    const notFound = errno === "ENOENT" || errno === "ENOTDIR"
    const where = op.argv[0].includes("/") ? meaning : notFound ? "executable file not found in $PATH" : meaning
    return new ContainerError({
      operation, object: name, kind: "command",
      cause: `exec: "${op.argv[0]}": ${where}`, exitCode: notFound ? 127 : 126
    })
  }
  const what = op?._tag ?? "the supervisor"
  const where = frame.path === "" ? "" : ` ${frame.path}`
  const hint = hints[what]
  return new ContainerError({
    operation, object: name, kind: "failed",
    cause: `${what}: ${frame.syscall}${where}: ${meaning}`,
    ...(hint === undefined ? {} : { cure: hint })
  })
}
