import { assert, describe, it } from "@effect/vitest"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { failure, mountOf, output } from "./InitProgram.ts"
import { Client, exec, Machine, ownRoot, prepare, run, specOf } from "./SimulatedMachine.ts"

describe("mounts", () => {
  it("fail with the errno, the call and the object", () => {
    assert.strictEqual(failure(mountOf({ type: "nosuch" })), "ENODEV fsopen nosuch")
    assert.strictEqual(
      failure(mountOf({ options: [{ key: "nosuch", value: "1" }] })),
      "EINVAL fsconfig /mnt (nosuch=1)"
    )
    assert.strictEqual(
      failure(mountOf({ options: [{ key: "size", value: "lots" }] })),
      "EINVAL fsconfig /mnt"
    )
    assert.strictEqual(failure(mountOf({ target: "/etc/passwd" })), "ENOTDIR openat2 /etc/passwd")
    assert.strictEqual(failure(mountOf({ target: "/bin/x", strict: true })), "ELOOP openat2 /bin/x")
    assert.strictEqual(failure(mountOf({ target: "/made/for/it" })), "success")
    assert.strictEqual(
      failure({ _tag: "MountTree", slot: 3, target: "/x", attributes: [], propagation: "private" }),
      "EBADF move_mount /x"
    )
    assert.strictEqual(
      failure({ _tag: "MountPropagation", path: "/etc", propagation: "private" }),
      "EINVAL mount /etc"
    )
  })

  it("of tmpfs have a size that is kept, and a mode", () => {
    const seen = output(
      "dd if=/zero of=/mnt/f bs=1k count=5 2>&1; echo $?; " +
        "cat /big > /mnt/g; ls -l /mnt; stat -c %a /mnt",
      [mountOf({ options: [{ key: "size", value: "8k" }, { key: "mode", value: "700" }] })],
      {},
      new Machine({
        files: { "/images/busybox/big": "x".repeat(9000), "/images/busybox/zero": "y".repeat(5120) }
      })
    )
    assert.match(seen, /5\+0 records out\n0\n/)
    assert.include(seen, "700\n")
    assert.notMatch(seen, /9000/)
  })

  it("copy up what the directory held", () => {
    const seen = output("cat /etc/hostname; mount", [mountOf({ target: "/etc", copyUp: true })])
    assert.include(seen, "simulated\n")
    assert.include(seen, "tmpfs on /etc type tmpfs")
  })

  it("bind trees of the host, files on files, read-only when asked", () => {
    const open = (slot: number, source: string): InitOp => ({
      _tag: "TreeOpen",
      slot,
      source,
      recursive: true
    })
    const put = (slot: number, target: string, ro: boolean): InitOp => ({
      _tag: "MountTree",
      slot,
      target,
      attributes: ro ? ["ro"] : [],
      propagation: "rprivate"
    })
    const spec = specOf({
      namespaces: ["mnt", "pid"],
      program: [
        open(0, "/srv/data"),
        open(1, "/srv/data/file"),
        open(2, "/srv/data"),
        ...ownRoot,
        put(0, "/data", false),
        put(1, "/made/of/file", false),
        put(2, "/read", true),
        exec(
          "sh",
          "-c",
          "cat /data/file /made/of/file; echo new > /data/new; echo $?; " +
            "echo no > /read/no; echo $?; cat /read/new"
        )
      ]
    })
    const machine = new Machine({ files: { "/srv/data/file": "content\n" } })
    assert.strictEqual(run(machine, spec).stdout, "content\ncontent\n0\n1\nnew\n")
    assert.strictEqual(machine.text("/srv/data/new"), "new\n")
    assert.strictEqual(machine.errno("FileRead", { path: "/srv/data/no", limit: 1 }), "ENOENT")
  })

  it("reach the container from the host when a volume is a slave, not when it is private", () => {
    for (const [propagation, seen] of [["rslave", "there\n"], ["rprivate", ""]] as const) {
      const machine = new Machine({ files: { "/srv/data/mnt": { directory: true } } })
      prepare(machine)
      const client = Client.start(
        machine,
        specOf({
          namespaces: ["mnt", "pid"],
          program: [
            { _tag: "TreeOpen", slot: 0, source: "/srv/data", recursive: true },
            ...ownRoot,
            { _tag: "MountTree", slot: 0, target: "/data", attributes: [], propagation },
            exec("sh", "-c", "sleep 5; cat /data/mnt/file")
          ]
        })
      )
      client.until((frame) => frame._tag === "Started")
      machine.do("DirEnsure", { path: "/run/other", mode: 0o700 })
      // Something on the host mounts a file system there
      Client.start(
        machine,
        specOf({
          directory: "/run/other",
          program: [
            mountOf({ target: "/srv/data/mnt" }),
            exec("sh", "-c", "echo there > /srv/data/mnt/file; sleep 100")
          ]
        })
      ).until((frame) => frame._tag === "Started")
      assert.strictEqual(client.finish().stdout, seen, propagation)
    }
  })

  it("keep the tree of a slot when another can't be opened for it", () => {
    const open: InitOp = { _tag: "TreeOpen", slot: 0, source: "/etc", recursive: true }
    const user: InitOp = { _tag: "User", uid: 33, gid: 33, groups: [] }
    assert.strictEqual(failure(open, {}, [open]), "success")
    assert.strictEqual(failure(open, {}, [open, user]), "EPERM open_tree /etc")
  })

  it("mask paths, and make others read-only", () => {
    const ops: ReadonlyArray<InitOp> = [{
      _tag: "MaskPaths",
      paths: ["/etc/passwd", "/var", "/nosuch", "/proc/acpi", "/etc/passwd/x"]
    }, { _tag: "ReadonlyPaths", paths: ["/etc", "/nosuch", "/proc/sys"] }]
    const seen = output(
      "cat /etc/passwd; ls /var; touch /var/x; echo $?; touch /etc/x; echo $?; " +
        "echo 1 > /proc/sys/kernel/msgmax; echo $?",
      ops
    )
    assert.strictEqual(seen.split("\n").filter((line) => /^\d$/.test(line)).join(""), "111")
    assert.notInclude(seen, "root:x")
  })

  it("mask files only with a real null device", () => {
    const fake: InitOp = {
      _tag: "NodeMake", path: "/dev/null", type: "c", mode: 0o666, major: 1, minor: 5, uid: 0,
      gid: 0
    }
    assert.strictEqual(
      failure({ _tag: "MaskPaths", paths: ["/etc/passwd"] }, {}, [fake]),
      "ENODEV openat2 /dev/null"
    )
  })
})
