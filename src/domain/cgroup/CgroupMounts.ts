/**
 * The control-group mounts in a mountinfo text: which there are, and which can be reached by their path.
 * A container or a system manager often stacks mounts, and a covered one must not be taken.
 */

export interface CgroupMount {
  readonly version: 1 | 2
  /** Mount point. */
  readonly mount: string
  /** The cgroup that stands at the mount point: `/`, or a deeper one in a container. */
  readonly root: string
  /** v1: super block options without flags, i.e. controllers and `name=…`. */
  readonly options: ReadonlyArray<string>
}

interface Mount {
  readonly index: number
  readonly id: string
  readonly parent: string
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: string
}

/** Space, tab, newline and backslash are written as octal escapes (proc_pid_mountinfo(5)). */
const unescape = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** `36 35 98:0 /root /point rw shared:1 - type source options`; lines of another form are skipped. */
const parseMounts = (mountinfo: string): ReadonlyArray<Mount> =>
  mountinfo.split("\n").flatMap((line, index) => {
    const fields = line.split(" ")
    const separator = fields.indexOf("-", 6)
    const [id, parent, , root, point] = fields
    const type = fields[separator + 1]
    if (separator < 0 || id === undefined || parent === undefined || root === undefined) return []
    if (point === undefined || type === undefined) return []
    const options = fields[separator + 3] ?? ""
    return [{ index, id, parent, root: unescape(root), point: unescape(point), type, options }]
  })

const covers = (above: string, below: string): boolean =>
  above === "/" || above === below || below.startsWith(`${above}/`)

/** A mount and those it stands on, by id. Mount ids are unique, but a damaged text may have cycles. */
const lineage = (mount: Mount, byId: ReadonlyMap<string, Mount>): ReadonlySet<string> => {
  const ids = new Set<string>()
  let at: Mount | undefined = mount
  while (at !== undefined && !ids.has(at.id)) {
    ids.add(at.id)
    at = byId.get(at.parent)
  }
  return ids
}

/**
 * Whether a path walk to the mount point ends on this mount: no other mount covers the point from a mount
 * that this one stands on. The order of lines does not tell: parents may come after children.
 */
const reachable = (mount: Mount, mounts: ReadonlyArray<Mount>, byId: ReadonlyMap<string, Mount>): boolean => {
  const below = lineage(mount, byId)
  return !mounts.some((other) =>
    covers(other.point, mount.point) && !below.has(other.id) && below.has(other.parent) &&
    !(other.parent === mount.parent && other.point === mount.point && other.index < mount.index)
  )
}

/** Options of a v1 super block that say nothing of what it holds (cgroup1_show_options in the kernel). */
const flags = /^(rw|ro|noprefix|xattr|clone_children|cpuset_v2_mode|favordynmods|release_agent=.*)$/

/** In the order of the text. */
export const cgroupMounts = (mountinfo: string): ReadonlyArray<CgroupMount> => {
  const mounts = parseMounts(mountinfo)
  const byId = new Map(mounts.map((mount) => [mount.id, mount]))
  return mounts
    .filter((mount) => (mount.type === "cgroup" || mount.type === "cgroup2") && reachable(mount, mounts, byId))
    .map((mount) => ({
      version: mount.type === "cgroup" ? 1 : 2,
      mount: mount.point,
      root: mount.root,
      options: mount.type === "cgroup" ? mount.options.split(",").filter((option) => !flags.test(option)) : []
    }))
}
