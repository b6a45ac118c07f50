/** What containers see of the world and of each other. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { config, idle, logged, output, refusal, script, started, stateOf, told } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

export const namespaceLaws = (ground: Ground): void => {
  law(ground, "a container is alone with its own pid 1, its short id as host name and the root of its cgroup", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(idle(ground), "")
    yield* engine.start(id)
    const seen = yield* told(id, "cat /proc/1/comm; hostname; cat /proc/1/cgroup")
    const [comm, hostname, ...cgroups] = seen.trim().split("\n")
    assert.deepStrictEqual([comm, hostname], ["sleep", id.slice(0, 12)])
    for (const line of cgroups) assert.match(line, /^[0-9]+:[^:]*:\/$/)
    assert.isAbove(cgroups.length, 0)
  }))

  law(ground, "a program has the environment of docker's", Effect.gen(function*() {
    const lines = (yield* output(config(ground, ["env"], { env: ["A=1", "PATH=/bin"], hostname: "box" }))).trim().split("\n")
    assert.deepStrictEqual(lines.filter((line) => !/^(SHLVL|PWD)=/.test(line)).sort(), ["A=1", "HOME=/root", "HOSTNAME=box", "PATH=/bin"])
  }))

  law(ground, "a program runs as the user, with the groups and in the directory that are asked for", Effect.gen(function*() {
    const who = "id -u; id -g; id -G; pwd; echo $HOME"
    assert.strictEqual(yield* output(script(ground, who)), "0\n0\n0\n/\n/root\n")
    assert.strictEqual(
      yield* output(script(ground, who, { user: "alice", workingDirectory: "/home/alice" })),
      "1000\n1000\n1000 50\n/home/alice\n/home/alice\n"
    )
    assert.strictEqual(
      yield* output(script(ground, who, { user: "1234:50", groupAdd: ["wheel", "77"], workingDirectory: "/made/for/it" })),
      "1234\n50\n50 10 77\n/made/for/it\n/\n"
    )
  }))

  law(ground, "a user who was copied in before the first start is known", Effect.gen(function*() {
    const engine = yield* Engine
    yield* perform("FileWrite", { path: `${ground.scratch}/passwd`, mode: 0o644, text: "late:x:1234:50::/:/bin/sh\n" })
    const { id } = yield* engine.create(script(ground, "id -u", { user: "late" }), "")
    yield* engine.copyIn(id, "/etc", engine.host.copyOut(`${ground.scratch}/passwd`, { name: "passwd", follow: false }), undefined)
    yield* engine.start(id)
    yield* engine.wait(id)
    assert.deepStrictEqual(yield* logged(id), ["stdout 1234"])
  }))

  law(ground, "an unknown user or group is refused", Effect.gen(function*() {
    const engine = yield* Engine
    for (const more of [{ user: "nobody-here" }, { user: "root:nothing" }, { groupAdd: ["nothing"] }]) {
      const { id } = yield* engine.create(config(ground, ["true"], more), "")
      assert.strictEqual((yield* refusal(engine.start(id))).kind, "invalid")
      assert.strictEqual(yield* stateOf(id), "created")
    }
  }))

  law(ground, "a container has files of its own for its name and its hosts", Effect.gen(function*() {
    const seen = yield* output(script(ground, "cat /etc/hostname; cat /etc/hosts; cat /etc/resolv.conf", {
      hostname: "box", extraHosts: ["db:192.0.2.7"], dns: ["192.0.2.53"], dnsSearch: ["example.com"]
    }))
    assert.match(seen, /^box\n/)
    assert.match(seen, /^192\.0\.2\.7\tdb$/m)
    assert.match(seen, /^nameserver 192\.0\.2\.53$/m)
    assert.match(seen, /^search example\.com$/m)
  }))

  for (const [mode, kind] of [["networkMode", "net"], ["pidMode", "pid"], ["ipcMode", "ipc"]] as const) {
    law(ground, `a container can be in the ${kind} namespace of another, and only in that`, Effect.gen(function*() {
      const first = yield* started(idle(ground, { ipcMode: "shareable" }), "first")
      const second = yield* started(idle(ground, { [mode]: "container:first" }))
      for (const one of ["net", "pid", "ipc", "uts", "mnt"]) {
        const link = `readlink /proc/self/ns/${one}`
        const same = (yield* told(first, link)) === (yield* told(second, link))
        assert.strictEqual(same, one === kind, one)
      }
    }))
  }

  law(ground, "in a joined pid namespace the others' processes are seen", Effect.gen(function*() {
    yield* started(config(ground, ["sleep", "3000"]), "first")
    const second = yield* started(idle(ground, { pidMode: "container:first" }))
    assert.strictEqual(yield* told(second, "cat /proc/1/cmdline | grep -c 3000"), "1\n")
  }))

  law(ground, "the namespaces of what does not run cannot be joined", Effect.gen(function*() {
    const engine = yield* Engine
    yield* engine.create(config(ground, ["true"]), "first")
    const { id } = yield* engine.create(config(ground, ["true"], { networkMode: "container:first" }), "second")
    const error = yield* refusal(engine.start(id))
    assert.deepStrictEqual([error.kind, error.cure], ["conflict", "start it first"])
    const missing = yield* refusal(engine.create(config(ground, ["true"], { pidMode: "container:nobody" }), ""))
    assert.strictEqual(missing.kind, "missing")
  }))

  law(ground, "a container stays joined to the one that was meant, whatever that is called later", Effect.gen(function*() {
    const engine = yield* Engine
    const first = yield* started(idle(ground), "first")
    const { id } = yield* engine.create(idle(ground, { networkMode: "container:first" }), "second")
    yield* engine.rename("first", "other")
    yield* started(idle(ground), "first")
    yield* engine.start(id)
    const link = "readlink /proc/self/ns/net"
    assert.strictEqual(yield* told(id, link), yield* told(first, link))
  }))

  law(ground, "the end of a container whose pid namespace is joined is the end of all in it", Effect.gen(function*() {
    const engine = yield* Engine
    const first = yield* started(idle(ground))
    const second = yield* started(idle(ground, { pidMode: `container:${first}` }))
    yield* engine.kill(first, 9)
    assert.strictEqual((yield* engine.wait(first)).code, 137)
    assert.strictEqual((yield* engine.wait(second)).code, 137)
  }))

  law(ground, "names of hosts and domains are the container's own", Effect.gen(function*() {
    const seen = yield* output(script(ground, "hostname; cat /proc/sys/kernel/domainname", { hostname: "a", domainname: "b.example" }))
    assert.strictEqual(seen, "a\nb.example\n")
  }))

  law(ground, "namespaced sysctls are set, others are refused", Effect.gen(function*() {
    const engine = yield* Engine
    const sysctls = { "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1" }
    const read = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced"
    assert.strictEqual(yield* output(script(ground, read, { sysctls })), "1\n1\n")
    assert.strictEqual((yield* refusal(engine.create(config(ground, ["true"], { sysctls: { "vm.swappiness": "1" } }), ""))).kind, "invalid")
  }))
}
