/** --mount, --volume and --tmpfs: what docker's client lets through and its engine then judges. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseMount } from "../../../../src/domain/text/flags/Mount.ts"
import { parseTmpfs } from "../../../../src/domain/text/flags/Tmpfs.ts"
import { parseVolume } from "../../../../src/domain/text/flags/Volume.ts"
import { causeOf, success } from "../results.ts"

const mount = (text: string) => parseMount(text, "/work")
const volume = (text: string) => parseVolume(text, "/work")

describe("--mount", () => {
  it("of type bind takes paths cleaned and makes no directory", () => {
    expect(success(mount("type=bind,src=/a//b/../c,dst=/x/./y/"))).toEqual({
      _tag: "Bind", source: "/a/c", target: "/x/y", readonly: false, recursive: "enabled", propagation: "",
      createSource: false
    })
  })

  it("counts a source that begins with a point from the working directory", () => {
    for (const [source, path] of [["./a", "/work/a"], [".", "/work"], ["../a", "/a"], ["..", "/"]] as const) {
      expect(success(mount(`type=bind,src=${source},dst=/b`))).toMatchObject({ source: path })
    }
    expect(causeOf(mount("type=bind,src=.hidden,dst=/b"))).toContain("mount path must be absolute")
  })

  it("of type tmpfs gives the kernel's options", () => {
    expect(success(mount("type=tmpfs,dst=/b,tmpfs-size=64m,tmpfs-mode=0700,ro"))).toEqual({
      _tag: "Tmpfs", target: "/b", options: ["ro", "mode=700", "size=64m"]
    })
    expect(success(mount("type=tmpfs,dst=/b,tmpfs-size=1000"))).toMatchObject({ options: ["size=1000"] })
  })

  it.each([
    [
      "type=bind,src=a,dst=/b",
      "invalid mount config for type \"bind\": invalid mount path: 'a' mount path must be absolute"
    ],
    [
      "type=bind,src=/a,dst=b",
      "invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute"
    ],
    [
      "type=bind,src=/a,dst=/",
      "invalid mount config for type \"bind\": invalid specification: destination can't be '/'"
    ],
    [
      "type=bind,src=/a,dst=/b/..",
      "invalid mount config for type \"bind\": invalid specification: destination can't be '/'"
    ],
    ["type=bind,dst=/b", "invalid mount config for type \"bind\": field Source must not be empty"],
    [
      "type=bind,src=/a,dst=/b,bind-propagation=up",
      "invalid mount config for type \"bind\": invalid propagation mode: up"
    ],
    ["type=tmpfs,src=/a,dst=/b", "invalid mount config for type \"tmpfs\": field Source must not be specified"],
    [
      "type=volume,dst=/b,ro",
      "invalid mount config for type \"volume\": must not set ReadOnly mode when using anonymous volumes"
    ],
    [
      "type=volume,src=a/b,dst=/c",
      "\"a/b\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed"
    ],
    ["type=nfs,src=/a,dst=/b", "invalid mount config for type \"nfs\": mount type unknown"],
    ["", "invalid field '' must be a key=value pair"]
  ])("%s is refused", (text, cause) => {
    expect(causeOf(mount(text))).toBe(cause)
  })

  it("keeps labels and options whatever their names", () => {
    const options = "volume-label=__proto__=x,volume-opt=constructor=y,volume-opt=="
    const parsed = success(mount(`type=volume,src=data,dst=/b,${options}`))
    expect(parsed._tag === "Volume" && Object.entries(parsed.labels)).toEqual([["__proto__", "x"]])
    expect(parsed._tag === "Volume" && Object.entries(parsed.driverOptions)).toEqual([["constructor", "y"]])
  })
})

describe("--volume", () => {
  it("with a path is a bind that makes its source", () => {
    expect(success(volume("./data/:/b:ro,rshared,Z"))).toEqual({
      _tag: "Bind", source: "/work/data", target: "/b", readonly: true, recursive: "enabled",
      propagation: "rshared", createSource: true
    })
  })

  it("with a name or nothing is a volume", () => {
    expect(success(volume("data:/b:nocopy")))
      .toMatchObject({ _tag: "Volume", name: "data", target: "/b", copy: false, readonly: false })
    expect(success(volume("/b"))).toMatchObject({ _tag: "Volume", name: "", target: "/b", copy: true })
    expect(success(volume("data:/b:ro,consistent"))).toMatchObject({ _tag: "Volume", name: "data", readonly: true })
  })

  it.each([
    ["/a:/b:foo", "invalid mode: foo"],
    ["/a:/b:ro,rw", "invalid mode: ro,rw"],
    ["/a:/b:rshared,rslave", "invalid mode: rshared,rslave"],
    ["/a:/b:ro,,z", "invalid mode: ro,,z"],
    ["/b:ro", "invalid volume specification: '/b:ro'"]
  ])("%s is refused", (text, cause) => {
    expect(causeOf(volume(text))).toBe(cause)
  })

  it.each([
    ["/a:b", "bind", "invalid mount path: 'b' mount path must be absolute"],
    ["/a:/", "bind", "invalid specification: destination can't be '/'"],
    ["b", "volume", "invalid mount path: 'b' mount path must be absolute"],
    ["/a:/b:nocopy", "bind", "field VolumeOptions must not be specified"],
    ["data:/b:rslave", "volume", "field BindOptions must not be specified"]
  ])("%s makes no %s mount", (text, type, cause) => {
    expect(causeOf(volume(text)))
      .toBe(`invalid volume specification: '${text}': invalid mount config for type "${type}": ${cause}`)
  })

  it.each(["a/b", "~/a", "a", "-data"])("%s is no volume's name", (name) => {
    expect(causeOf(volume(`${name}:/c`))).toBe(
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`
    )
  })

  it("never mounts on the root or on a relative path", () => {
    const part = fc.string({ unit: fc.constantFrom("/", ".", "..", "a", ":", "ro", ","), maxLength: 8 })
    fc.assert(fc.property(part, (text) => {
      const result = volume(text)
      if (result._tag === "Failure") return
      expect(result.success.target).toMatch(/^\/[^/]/)
      if (result.success._tag === "Bind") expect(result.success.source).toMatch(/^\//)
    }), { numRuns: 2000 })
  })
})

describe("--tmpfs", () => {
  it("keeps its options in order", () => {
    expect(success(parseTmpfs("/run/:size=64k,mode=1777,exec,nr_inodes=10k,uid=0"))).toEqual({
      _tag: "Tmpfs", target: "/run", options: ["size=64k", "mode=1777", "exec", "nr_inodes=10k", "uid=0"]
    })
  })

  it.each([
    ["/run:foo", "Invalid tmpfs option \"foo\""],
    ["/run:foo=1", "Invalid tmpfs option \"foo=1\""],
    ["/run:size=x", "Invalid tmpfs option \"size=x\""],
    ["/run:size", "Invalid tmpfs option \"size\""],
    ["/run:ro=1", "Invalid tmpfs option \"ro=1\""],
    ["/run:mode=9", "Invalid tmpfs option \"mode=9\""],
    ["/run:remount", "Invalid tmpfs option \"remount\""],
    ["run", "invalid mount path: 'run' mount path must be absolute"],
    ["/", "invalid specification: destination can't be '/'"],
    [":size=1", "field Target must not be empty"],
    ["", "field Target must not be empty"]
  ])("%s is refused", (text, cause) => {
    expect(causeOf(parseTmpfs(text))).toBe(cause)
  })
})
