/** What test programs of InitOps print in a container, and how an operation of one fails. */
import { assert } from "@effect/vitest"
import { errnoName } from "../../../src/domain/kernel/errno.ts"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import type { SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { brokenInvariants } from "../../../src/testing/index.ts"
import { containerOf, Machine, run } from "./SimulatedMachine.ts"

/** What a shell script prints in a container after further operations. */
export const output = (
  script: string,
  extra: ReadonlyArray<InitOp> = [],
  change: Partial<SupervisorSpec> = {},
  machine = new Machine()
): string => {
  const ended = run(machine, containerOf(["sh", "-c", script], change, extra))
  assert.isUndefined(ended.failed, JSON.stringify(ended.failed))
  assert.deepStrictEqual(brokenInvariants(machine.world), [])
  return ended.stdout + ended.stderr
}

/** How an operation fails: errno, system call, object. */
export const failure = (
  op: InitOp,
  change: Partial<SupervisorSpec> = {},
  before: ReadonlyArray<InitOp> = [],
  machine = new Machine()
): string => {
  const { failed } = run(machine, containerOf(["true"], change, [...before, op]))
  assert.deepStrictEqual(brokenInvariants(machine.world), [])
  return failed === undefined
    ? "success"
    : `${errnoName(failed.errno)} ${failed.syscall} ${failed.path}`.trim()
}

export const mountOf = (
  change: Partial<Extract<InitOp, { readonly _tag: "MountFilesystem" }>>
): InitOp => ({
  _tag: "MountFilesystem",
  type: "tmpfs",
  source: "tmpfs",
  target: "/mnt",
  strict: false,
  options: [],
  attributes: [],
  copyUp: false,
  ...change
})
