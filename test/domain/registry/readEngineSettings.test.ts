import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { readEngineSettings } from "../../../src/domain/registry/readEngineSettings.ts"
import { candidatesFor } from "../../../src/domain/registry/RegistrySettings.ts"

const read = (document: unknown) => readEngineSettings(JSON.stringify(document), "/daemon.json")
const refusal = (text: string): string => {
  const settings = readEngineSettings(text, "/daemon.json")
  return Result.isFailure(settings) ? settings.failure.message : "understood"
}

describe("the settings of the engine", () => {
  it("say nothing where there is no file, or an empty one", () => {
    for (const text of ["", " \n", "{}"]) {
      expect(Result.getOrThrow(readEngineSettings(text, "/daemon.json"))).toEqual({ mirrors: {}, insecure: [] })
    }
  })

  it("name registries without protection, and mirrors of docker's own", () => {
    const settings = Result.getOrThrow(read({
      "insecure-registries": ["one.test:5000", "10.0.0.0/8"], "registry-mirrors": ["https://mirror.test"]
    }))
    const urls = (domain: string) => Result.getOrThrow(candidatesFor(settings, domain, "pull")).map(({ url }) => url)
    expect(urls("docker.io")[0]).toBe("https://mirror.test")
    expect(urls("docker.io")).toHaveLength(2)
    expect(urls("one.test:5000")).toEqual(["https://one.test:5000", "http://one.test:5000"])
    expect(urls("10.1.2.3")).toEqual(["https://10.1.2.3", "http://10.1.2.3"])
    expect(urls("two.test")).toEqual(["https://two.test"])
  })

  it("name the storage driver, and are refused when there is none of that name", () => {
    expect(Result.getOrThrow(read({ "storage-driver": "vfs" })).storageDriver).toBe("vfs")
    expect(Result.getOrThrow(read({})).storageDriver).toBeUndefined()
    expect(refusal(`{"storage-driver": "devicemapper"}`)).toContain("the storage driver devicemapper is not supported")
    expect(refusal(`{"storage-driver": ["vfs"]}`)).toContain("lists of texts")
  })

  it("are refused when they say what would have no effect", () => {
    expect(refusal("nonsense")).toContain("cannot read the settings in /daemon.json: it is not a JSON object of texts and lists of texts")
    expect(refusal(`{"insecure-registries": "one.test"}`)).toContain("lists of texts")
    expect(refusal(`{"data-root": "/x", "debug": true}`)).toContain("nothing is known of data-root, debug")
    expect(refusal(`{"insecure-registries": ["http://one.test"]}`)).toContain(`"http://one.test" is not a host`)
    expect(refusal(`{"registry-mirrors": ["mirror.test"]}`)).toContain(`"mirror.test" is not the address of a mirror`)
  })
})
