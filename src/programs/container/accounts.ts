/**
 * Who a container's process is to run as, by the files of users and groups in its root. The root is a stranger's: what has
 * the name of such a file may be anything, and only matters to whoever has a name looked up.
 */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { type ResolvedUser, resolveUser } from "../../domain/container/User.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { RootSource } from "../../domain/kernel/KernelOp.ts"
import { type Kernel, perform } from "../Kernel.ts"

const passwd = "/etc/passwd"
const group = "/etc/group"

/** Bytes of one such file. */
const limit = 1 << 20

/** What the errors of RootRead say of what lies there, where it is nothing to be read. */
const hindrances: { readonly [errno: string]: string } = {
  EISDIR: "it is a directory",
  EINVAL: "it is no regular file",
  ENXIO: "it is a socket",
  ELOOP: "symbolic links lead round and round",
  EXDEV: "a link leads out of the root",
  EFBIG: `it has more than ${limit} bytes`
}

interface Accounts {
  readonly passwd: string
  readonly group: string
  /** Sentences about those that could not be read, which count as absent. */
  readonly unread: ReadonlyArray<string>
}

const readOne = Effect.fnUntraced(function*(
  root: RootSource, path: string
): Effect.fn.Return<{ readonly text: string; readonly unread: ReadonlyArray<string> }, KernelError, Kernel> {
  return yield* perform("RootRead", { root, paths: [path], limit }).pipe(
    Effect.map((texts) => ({ text: texts[path] ?? "", unread: [] })),
    Effect.catchIf(({ errno }) => hindrances[errno] !== undefined, ({ errno }) =>
      Effect.succeed({ text: "", unread: [`${path} of the container could not be read: ${hindrances[errno]}`] }))
  )
})

/** Both at once as a rule: one by one only where that fails. */
const readAccounts = (root: RootSource): Effect.Effect<Accounts, KernelError, Kernel> =>
  perform("RootRead", { root, paths: [passwd, group], limit }).pipe(
    Effect.map((texts): Accounts => ({ passwd: texts[passwd] ?? "", group: texts[group] ?? "", unread: [] })),
    Effect.catchIf(({ errno }) => hindrances[errno] !== undefined, () =>
      Effect.gen(function*() {
        const users = yield* readOne(root, passwd)
        const groups = yield* readOne(root, group)
        return { passwd: users.text, group: groups.text, unread: [...users.unread, ...groups.unread] }
      }))
  )

export const resolveAccount = Effect.fnUntraced(function*(wish: {
  readonly operation: string
  /** The container's name. */
  readonly object: string
  readonly root: RootSource
  /** As `--user` has it. */
  readonly user: string
  readonly groupAdd: ReadonlyArray<string>
}): Effect.fn.Return<ResolvedUser, KernelError | ContainerError, Kernel> {
  const { groupAdd, object, operation, root, user } = wish
  const { unread, ...files } = yield* readAccounts(root)
  return yield* Effect.fromResult(resolveUser(user, groupAdd, files)).pipe(Effect.mapError((cause) =>
    new ContainerError({
      operation, object, kind: "invalid", cause: [cause, ...unread].join("; "),
      ...(unread.length === 0 ? {} : { cure: "name users and groups by their numbers, or put the files right" })
    })))
})
