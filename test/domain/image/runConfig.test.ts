/** What an image says of how it is run, as document, as record, and in a container's configuration. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { defaultConfig, type Mount } from "../../../src/domain/container/ContainerConfig.ts"
import {
  committedDefaults, defaultsOf, runConfigOf, unmountedVolumes, withImageDefaults
} from "../../../src/domain/image/runConfig.ts"
import { type ImageDefaults, noImageDefaults } from "../../../src/domain/image/Defaults.ts"

const run = {
  User: "app:app", ExposedPorts: { "443/tcp": {}, "80/tcp": {} }, Env: ["A=1", "PATH=/bin"], Entrypoint: ["/init"],
  Cmd: ["serve", "-v"], Volumes: { "/var/lib/x": {}, "/data": {} }, WorkingDir: "/srv", Labels: { b: "2", a: "1" },
  StopSignal: "SIGQUIT", Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5_000_000_000, Retries: 3 },
  Shell: ["/bin/bash", "-c"], OnBuild: ["RUN make"]
}

const defaults: ImageDefaults = {
  entrypoint: ["/init"], command: ["serve", "-v"], env: ["A=1", "PATH=/bin"], workingDirectory: "/srv", user: "app:app",
  volumes: ["/data", "/var/lib/x"], labels: { a: "1", b: "2" }, stopSignal: "SIGQUIT",
  healthcheck: { test: ["CMD-SHELL", "true"], interval: 5_000_000_000, retries: 3 }, exposedPorts: ["443/tcp", "80/tcp"],
  shell: ["/bin/bash", "-c"], onBuild: ["RUN make"]
}

const config = defaultConfig("image")

describe("an image's defaults", () => {
  it("are those of its document, all of them", () => {
    expect(defaultsOf(run)).toEqual(defaults)
    expect(runConfigOf(defaults)).toEqual(run)
    expect(defaultsOf()).toEqual(noImageDefaults)
    expect(runConfigOf(noImageDefaults)).toEqual({})
    expect(defaultsOf({ Cmd: "ls", Healthcheck: {} })).toEqual({ ...noImageDefaults, command: ["ls"] })
  })

  it("survive the way to a document and back", () => {
    const names = fc.array(fc.string({ minLength: 1, maxLength: 3 })).map((list) => [...new Set(list)].sort())
    const some = fc.record({
      User: fc.string(), Env: names, Cmd: names, WorkingDir: fc.string(), StopSignal: fc.string(),
      Labels: fc.dictionary(fc.string(), fc.string()), Volumes: fc.dictionary(fc.string({ minLength: 1 }), fc.constant({})),
      Healthcheck: fc.record({ Test: names, Interval: fc.nat(), Retries: fc.nat() }, { requiredKeys: [] })
    }, { requiredKeys: [] })
    fc.assert(fc.property(some, (document) => {
      const once = defaultsOf(document)
      expect(defaultsOf(runConfigOf(once))).toEqual(once)
    }))
  })
})

describe("a container's configuration", () => {
  it("takes labels, stop signal and health check from its image where the user said nothing", () => {
    expect(withImageDefaults(config, defaults)).toEqual({
      ...config, labels: { a: "1", b: "2" }, stopSignal: "SIGQUIT", healthcheck: defaults.healthcheck
    })
    expect(withImageDefaults(config, noImageDefaults)).toEqual(config)
  })

  it("keeps what the user said, field by field", () => {
    const asked = withImageDefaults({
      ...config, labels: { b: "mine", c: "3" }, stopSignal: "9", healthcheck: { test: [], interval: 7 }
    }, defaults)
    expect(asked.labels).toEqual({ a: "1", b: "mine", c: "3" })
    expect(asked.stopSignal).toBe("9")
    expect(asked.healthcheck).toEqual({ test: ["CMD-SHELL", "true"], interval: 7, retries: 3 })
    expect(withImageDefaults({ ...config, healthcheck: { test: ["NONE"] } }, defaults).healthcheck?.test).toEqual(["NONE"])
  })

  it("has directories for those volumes of the image that the user mounts nothing on", () => {
    const mount = (target: string): Mount => ({ _tag: "Tmpfs", target, options: [] })
    const image = { ...defaults, volumes: ["/data/", "relative", "/var/lib/x", "/", "/data"] }
    expect(unmountedVolumes(config, image)).toEqual(["/data", "/relative", "/var/lib/x"])
    expect(unmountedVolumes({ ...config, mounts: [mount("/data"), mount("/var//lib/x/")] }, image)).toEqual(["/relative"])
  })

  it("over its image's gives what a commit says", () => {
    const { onBuild: _triggers, ...inherited } = defaults
    expect(committedDefaults(config, defaults)).toEqual(inherited)
    const asked = { ...config, command: ["other"], env: ["A=2", "B=3"], user: "0", workingDirectory: "/w", stopSignal: "9" }
    expect(committedDefaults(asked, defaults)).toEqual({
      ...inherited, command: ["other"], env: ["A=2", "PATH=/bin", "B=3"], user: "0", workingDirectory: "/w", stopSignal: "9"
    })
    expect(committedDefaults({ ...config, entrypoint: ["x"] }, defaults)).toMatchObject({ entrypoint: ["x"], command: [] })
  })
})
