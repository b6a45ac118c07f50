/** Which ids of the host a container's own user namespace uses. */
import type { IdMap } from "../kernel/Supervisor.ts"
import type { ContainerConfig } from "./ContainerConfig.ts"

/** The first 65,536 ids of the container at 100,000 on the host, as subordinate ids are usually laid out. */
const privateMap: ReadonlyArray<IdMap> = [{ inside: 0, outside: 100_000, count: 65_536 }]

/** The mapping of users and of groups; empty where the container has the host's ids. */
export const idMapOf = (config: ContainerConfig): ReadonlyArray<IdMap> =>
  config.usernsMode === "private" ? privateMap : []
