/** Whether containers ended as they should have: what their supervisors wrote down for good. */
import { type ExitStatus, parseStatus } from "../../../domain/kernel/Supervisor.ts"
import type { World } from "../World.ts"
import { hostText } from "./hostView.ts"
import type { Finding } from "./leaks.ts"

/** The exit that a status or exit file tells of; `undefined` when there is none yet. */
export const exitAt = (world: World, path: string): ExitStatus | undefined =>
  parseStatus(hostText(world, path) ?? "")?.exited?.status

/** Exits that are not the expected ones, by the path of the exit file. */
export const wrongExits = (
  world: World,
  expected: { readonly [path: string]: Partial<ExitStatus> }
): ReadonlyArray<Finding> =>
  Object.entries(expected).flatMap(([path, wanted]) => {
    const actual = exitAt(world, path)
    const fields = Object.entries(wanted) as Array<[keyof ExitStatus, unknown]>
    return fields.every(([field, value]) => actual?.[field] === value)
      ? []
      : [{
        kind: "exit",
        what: `${path}: ${JSON.stringify(actual ?? "no exit")} instead of ${JSON.stringify(wanted)}`
      }]
  })
