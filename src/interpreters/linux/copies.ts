/** Handlers that make whole trees at once, as copies or as subvolumes of btrfs, on pool threads. */
import * as Effect from "effect/Effect"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import { notBtrfs } from "../../domain/layer/StorageDriver.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import type { Addon, CancelFlag, Done, Failure } from "./addon.ts"
import { attempt, awaitTask, type Subject } from "./attempt.ts"
import type { Machine } from "./Machine.ts"

type Start = (addon: Addon, cancel: CancelFlag, done: Done<number>) => undefined | Failure

const run = (machine: Machine, subject: Subject, start: Start): Effect.Effect<void, KernelError> =>
  Effect.flatMap(attempt(subject, () => machine.addon), (addon) =>
    Effect.asVoid(awaitTask<number>(subject, (cancel, done) => start(addon, cancel, done))))

const withHint = (error: KernelError): KernelError =>
  error.errno !== "ENOTTY" ? error : new KernelError({
    op: error.op, syscall: error.syscall, errno: error.errno, hint: notBtrfs,
    ...(error.path === undefined ? {} : { path: error.path })
  })

export const copies = (machine: Machine): Pick<Interpreter, "TreeCopy" | "SubvolumeMake" | "SubvolumeSnapshot"> => ({
  TreeCopy: ({ from, to }) =>
    run(machine, { op: "TreeCopy", path: to }, (addon, cancel, done) => addon.copyTree(from, to, cancel, done)),
  SubvolumeMake: ({ path }) =>
    run(machine, { op: "SubvolumeMake", path }, (addon, cancel, done) => addon.makeSubvolume(path, cancel, done)).pipe(
      Effect.mapError(withHint)
    ),
  SubvolumeSnapshot: ({ from, to }) =>
    run(machine, { op: "SubvolumeSnapshot", path: to }, (addon, cancel, done) =>
      addon.snapshotSubvolume(from, to, cancel, done)).pipe(Effect.mapError(withHint))
})
