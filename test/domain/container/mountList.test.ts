import { describe, expect, it } from "vitest"
import { defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { mountList } from "../../../src/domain/container/mountList.ts"

const facts = { filesPath: "/files", joined: {} }
const bind = { _tag: "Bind", readonly: false, recursive: "enabled", propagation: "", createSource: false } as const

describe("the mounts of a container", () => {
  const files = ["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"]

  it.each([[false, undefined], [true, "ro"]])("have its own files of /etc, with --read-only=%s as %s", (readonlyRootfs, access) => {
    const mounts = mountList({ ...defaultConfig("image"), readonlyRootfs }, facts)
    for (const file of files) {
      const mount = mounts.find(({ destination }) => destination === file)
      expect(mount?.source).toBe(file.replace("/etc", "/files"))
      expect(mount?.options?.find((option) => option === "ro")).toBe(access)
    }
  })

  it("leave out what the user mounts something else on", () => {
    const mounts = [{ ...bind, source: "/mine", target: "/etc/hosts" }, { ...bind, source: "/queue", target: "/dev/mqueue/" }]
    const list = mountList({ ...defaultConfig("image"), mounts }, facts)
    expect(list.filter(({ destination }) => destination === "/etc/hosts").map(({ source }) => source)).toEqual(["/mine"])
    expect(list.some(({ source }) => source === "mqueue")).toBe(false)
  })

  it("come parents first", () => {
    const mounts = ["/a/b/c", "/a", "/a/b"].map((target) => ({ ...bind, source: "/x", target }))
    const targets = mountList({ ...defaultConfig("image"), mounts }, facts).map(({ destination }) => destination)
    expect(targets.filter((target) => target.startsWith("/a"))).toEqual(["/a", "/a/b", "/a/b/c"])
  })
})
