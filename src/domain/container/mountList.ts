/** The mounts of a container in the OCI's terms, in the order in which they are made. */
import type { OciMount } from "../oci/RuntimeSpec.ts"
import type { ContainerConfig, Mount } from "./ContainerConfig.ts"

/** moby oci/defaults.go; the options of --privileged are `rw` where these say `ro`. */
const systemMounts = (config: ContainerConfig): ReadonlyArray<OciMount> => {
  const access = config.privileged ? "rw" : "ro"
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev", type: "tmpfs", source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"]
    },
    {
      destination: "/dev/pts", type: "devpts", source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", access] },
    {
      destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
      options: [access, "nosuid", "noexec", "nodev"]
    }
  ]
}

/** The queues of the IPC namespace that the container is in by then, its own or not: a host need not have them mounted. */
const messageQueues: OciMount = {
  destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]
}

/** --ipc none has no /dev/shm of its own; host and container:X share theirs. */
const sharedMemory = (config: ContainerConfig, joined: { readonly [mode: string]: string }): ReadonlyArray<OciMount> => {
  if (config.ipcMode === "none") return []
  if (config.ipcMode === "host") {
    return [{ destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["rbind", "rprivate"] }]
  }
  const process = joined[config.ipcMode]
  if (process !== undefined) {
    return [{ destination: "/dev/shm", type: "bind", source: `${process}/root/dev/shm`, options: ["bind", "rprivate"] }]
  }
  return [{
    destination: "/dev/shm", type: "tmpfs", source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", `size=${config.shmSize}`]
  }]
}

/** Defaults of --tmpfs that a later word takes back are left out: not every runtime reads the list as mount(8) does. */
const tmpfsOptions = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...["noexec", "nosuid", "nodev"].filter((word) => !words.includes(word.slice(2)) && !words.includes(word)), ...words]

const ofMount = (mount: Mount): OciMount => {
  if (mount._tag === "Tmpfs") {
    return {
      destination: mount.target, type: "tmpfs", source: "tmpfs",
      options: tmpfsOptions(mount.options)
    }
  }
  const recursive = mount.recursive !== "disabled"
  const access = !mount.readonly ? [] : recursive && mount.recursive !== "writable" ? ["rro"] : ["ro"]
  return {
    destination: mount.target, type: "bind", source: mount.source,
    options: [recursive ? "rbind" : "bind", ...access, mount.propagation || "rprivate"]
  }
}

/** Parents before children: by number of path components, otherwise in the order given. */
const depth = (mount: OciMount): number => mount.destination.split("/").filter((part) => part !== "").length

export const mountList = (
  config: ContainerConfig,
  facts: { readonly filesPath: string; readonly joined: { readonly [mode: string]: string } }
): ReadonlyArray<OciMount> => {
  const file = (name: string): OciMount => ({
    destination: `/etc/${name}`, type: "bind", source: `${facts.filesPath}/${name}`,
    // moby daemon/container_operations_unix.go (networkMounts): --read-only goes for these too
    options: ["bind", ...(config.readonlyRootfs ? ["ro"] : []), "rprivate"]
  })
  const user = [
    ...["resolv.conf", "hostname", "hosts"].map(file),
    ...config.mounts.map(ofMount)
  ]
  // What a user mounts on the target of a default mount stands in its place
  const taken = new Set(config.mounts.map((mount) => mount.target.replace(/(.)\/+$/, "$1")))
  const system = [...systemMounts(config), messageQueues, ...sharedMemory(config, facts.joined)]
    .filter((mount) => !taken.has(mount.destination))
  const files = user.filter((mount, index) => index >= 3 || !taken.has(mount.destination))
  return [...system, ...[...files].sort((a, b) => depth(a) - depth(b))]
}
