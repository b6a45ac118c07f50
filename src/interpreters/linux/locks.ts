/** Handlers for locks: flock(2), asked for again and again so that the event loop never waits in the kernel. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Payload } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt, backOff, Refusal, toKernelError, valueOf } from "./attempt.ts"
import type { Machine, Open } from "./Machine.ts"

class Lock implements Open {
  private fd: number

  constructor(fd: number) {
    this.fd = fd
  }

  close(): void {
    if (this.fd >= 0) fs.closeSync(this.fd)
    this.fd = -1
  }
}

const { O_CREAT, O_NOFOLLOW, O_RDWR } = fs.constants

/** Whether the path still names the file we locked: whoever removed it left us with a lock on nothing. */
const isStillNamed = (fd: number, path: string): boolean => {
  const held = fs.fstatSync(fd, { bigint: true })
  const named = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return named !== undefined && named.ino === held.ino && named.dev === held.dev
}

/** One try: the descriptor of the locked file, or undefined when another has the lock. */
const tryLock = (machine: Machine, path: string, shared: boolean): number | undefined => {
  // Each further turn means that somebody removed the file just now: many times in a row is not to be.
  for (let turn = 0; turn < 100; turn++) {
    const fd = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    let kept = false
    try {
      if (valueOf(machine.addon.lock(fd, shared)) === 0) return undefined
      kept = isStillNamed(fd, path)
      if (kept) return fd
    } finally {
      if (!kept) fs.closeSync(fd)
    }
  }
  throw new Refusal("flock", "ESTALE", "the file is removed or replaced again and again")
}

const acquire = (machine: Machine, { path, shared }: Payload<"LockAcquire">): Effect.Effect<number, KernelError> =>
  Effect.callback<number, KernelError>((resume) => {
    let timer: NodeJS.Timeout | undefined
    const look = (round: number): void => {
      try {
        const fd = tryLock(machine, path, shared)
        if (fd === undefined) timer = setTimeout(look, backOff(round), round + 1)
        else resume(Effect.succeed(machine.open(new Lock(fd))))
      } catch (cause) {
        resume(Effect.fail(toKernelError({ op: "LockAcquire", path }, cause)))
      }
    }
    look(0)
    return Effect.sync(() => clearTimeout(timer))
  })

export const locks = (machine: Machine): Pick<Interpreter, "LockAcquire" | "LockTry" | "LockRelease"> => ({
  LockAcquire: (payload) => acquire(machine, payload),
  LockTry: ({ path }) =>
    attempt({ op: "LockTry", path }, () => {
      const fd = tryLock(machine, path, false)
      return fd === undefined ? undefined : machine.open(new Lock(fd))
    }),
  LockRelease: ({ handle }) => attempt({ op: "LockRelease" }, () => machine.close(handle, Lock))
})
