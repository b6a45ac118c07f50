import { describe, expect, it } from "vitest"
import { formatInspected } from "../../../src/domain/text/formatInspected.ts"
import { causeOf, success } from "./results.ts"

/** A part of what inspect shows, and what docker 28.2 printed for these formats over the same data. */
const container = {
  Id: "abc", Created: "2024-01-02T03:04:05.123456789Z",
  State: { Status: "running", Pid: 42, ExitCode: 0, Health: null },
  Config: { Labels: { k: "v", "a.b": "c" }, Env: ["A=1", "B=2"] },
  HostConfig: { Memory: 1024, Sysctls: { "net.x": "1" } },
  NetworkSettings: { Networks: { bridge: { IPAddress: "172.17.0.2", Alias: "<x>" } } }
}
const mapKeys = new Set(["Labels", "Sysctls", "Networks"])

const inspect = (format: string) => formatInspected(format, container, mapKeys)

describe("inspect --format", () => {
  it.each([
    ["{{.State.Pid}}", "42"],
    ["{{.Config.Labels.zz}}", "<no value>"],
    ["{{index .Config.Labels \"a.b\"}}", "c"],
    ["{{json .Config.Labels}}", "{\"a.b\":\"c\",\"k\":\"v\"}"],
    ["{{json .State.Health}}", "null"],
    ["{{range $k,$v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}", "bridge=172.17.0.2"],
    ["{{join .Config.Env \",\"}}", "A=1,B=2"],
    ["{{eq .State.Pid 42}}{{if gt .State.Pid 40}}y{{end}}", "truey"],
    ["{{json .State}}", "{\"Status\":\"running\",\"Pid\":42,\"ExitCode\":0,\"Health\":null}"],
    ["{{json .NetworkSettings}}", "{\"Networks\":{\"bridge\":{\"IPAddress\":\"172.17.0.2\",\"Alias\":\"<x>\"}}}"]
  ])("%s prints %s", (format, output) => {
    expect(success(inspect(format))).toBe(output)
  })

  it("with json prints everything in one line", () => {
    expect(JSON.parse(success(inspect("json")))).toEqual(container)
  })

  it.each([
    ["{{.Foo}}", ":1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""],
    ["{{.State.pid}}", ":1:8: executing \"\" at <.State.pid>: map has no entry for key \"pid\""],
    ["{{.config.labels}}", ":1:9: executing \"\" at <.config.labels>: map has no entry for key \"config\""],
    [
      "{{.State.Health.Status}}",
      ":1:8: executing \"\" at <.State.Health.Status>: nil pointer evaluating interface {}.Status"
    ],
    ["{{.ID}} {{.Id}}", ":1:2: executing \"\" at <.ID>: map has no entry for key \"ID\""],
    ["{{", ":1: unclosed action"]
  ])("%s is refused", (format, error) => {
    expect(causeOf(inspect(format))).toBe(`template parsing error: template: ${error}`)
  })
})
