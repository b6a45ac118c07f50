/** Which driver serves a file system. */
import { cgroupDriver } from "../cgroups/cgroupDriver.ts"
import type { Filesystem } from "../World.ts"
import type { Driver } from "./Driver.ts"
import { namespaceDriver } from "./namespaceDriver.ts"
import { overlayDriver } from "./overlayDriver.ts"
import { procDriver } from "./procDriver.ts"
import { treeDriver } from "./treeDriver.ts"

export const driverOf = (filesystem: Filesystem): Driver => {
  switch (filesystem.content._tag) {
    case "Tree":
      return treeDriver
    case "Overlay":
      return overlayDriver
    case "Proc":
      return procDriver
    case "Cgroup":
      return cgroupDriver
    case "Namespaces":
      return namespaceDriver
  }
}
