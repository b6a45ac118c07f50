import { assert, describe, it } from "@effect/vitest"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { leaks } from "../../../src/testing/index.ts"
import { failure, mountOf, output } from "./InitProgram.ts"
import { Client, exec, Machine, ownRoot, prepare, specOf } from "./SimulatedMachine.ts"

describe("the root", () => {
  it("is the overlay alone: nothing of the host is left", () => {
    const seen = output("cat /proc/self/mountinfo")
    assert.strictEqual(seen.trim().split("\n").length, 3)
    assert.match(
      seen,
      / \/ \/ rw,relatime - overlay overlay rw,lowerdir=\/images\/busybox,upperdir=\/var\/lib\/test/
    )
    assert.notInclude(seen, "ext4")
  })

  it("takes what is written into the upper layer, and leaves the image as it is", () => {
    const machine = new Machine()
    output("echo changed > /etc/hostname; rm /etc/hosts; mkdir /new", [], {}, machine)
    assert.strictEqual(machine.text("/var/lib/test/upper/etc/hostname"), "changed\n")
    assert.strictEqual(
      machine.do("FileStat", { path: "/var/lib/test/upper/etc/hosts", follow: false }).type,
      "character"
    )
    assert.strictEqual(machine.text("/images/busybox/etc/hostname"), "simulated\n")
    const layers = {
      _tag: "Layers",
      lower: ["/images/busybox"],
      upper: "/var/lib/test/upper",
      work: "/var/lib/test/work"
    } as const
    assert.deepStrictEqual(
      machine.do("RootRead", { root: layers, paths: ["/etc/hostname", "/etc/hosts"], limit: 100 }),
      {
        "/etc/hostname": "changed\n"
      }
    )
  })

  it("can't be pivoted to while its parent is shared: the host would see it", () => {
    const shared = [...ownRoot.slice(1), exec("true")]
    const machine = new Machine()
    prepare(machine)
    const { failed } = Client.start(
      machine,
      specOf({ namespaces: ["mnt", "pid"], program: shared })
    ).finish()
    assert.deepStrictEqual([failed?.operation, failed?.errno, failed?.syscall], [
      1,
      22,
      "pivot_root"
    ])
  })

  it("stays on the host when there is no mount namespace: that is what one is for", () => {
    const machine = new Machine()
    prepare(machine)
    const before = machine.world
    Client.start(machine, specOf({ program: [ownRoot[1]!, exec("true")] })).finish()
    machine.pass(1)
    assert.deepInclude(leaks(before, machine.world).map((one) => one.kind), "mount")
  })

  it("is read-only when asked, but for what is mounted on it", () => {
    const attributes: InitOp = {
      _tag: "MountAttributes",
      path: "/",
      attributes: ["ro"],
      propagation: "rprivate"
    }
    const seen = output("echo x > /x; echo $?; echo y > /mnt/y; echo $?", [mountOf({}), attributes])
    assert.strictEqual(seen, "1\n0\nsh: can't create /x: Read-only file system\n")
  })
})

describe("nodes and links", () => {
  it("are made with their parents; links that the image has are kept, nodes replaced", () => {
    const seen = output(
      "stat -c '%F %t:%T %a %u:%g' /a/b/null; readlink /c/link; readlink /bin; ls -d /d/e/f",
      [
        {
          _tag: "NodeMake", path: "/a/b/null", type: "c", mode: 0o666, major: 1, minor: 3, uid: 5,
          gid: 6
        },
        {
          _tag: "NodeMake", path: "/a/b/null", type: "b", mode: 0o600, major: 8, minor: 1, uid: 5,
          gid: 6
        },
        { _tag: "SymlinkMake", target: "anywhere", path: "/c/link" },
        { _tag: "SymlinkMake", target: "elsewhere", path: "/bin" },
        { _tag: "DirMake", path: "/d/e/f", mode: 0o700 }
      ]
    )
    assert.strictEqual(seen, "block special file 8:1 600 5:6\nanywhere\nusr/bin\n/d/e/f\n")
  })

  it("follow links of the image inside the root only", () => {
    const machine = new Machine({
      files: {
        "/images/busybox/out": { link: "../../../../../etc" },
        "/images/busybox/gone": { link: "/far/away" },
        "/images/busybox/circle": { link: "circle" }
      }
    })
    output(
      "echo ok",
      [
        { _tag: "DirMake", path: "/out/made", mode: 0o755 },
        { _tag: "DirMake", path: "/gone/made", mode: 0o755 }
      ],
      {},
      machine
    )
    assert.strictEqual(machine.errno("FileStat", { path: "/etc/made", follow: false }), "ENOENT")
    assert.strictEqual(
      machine.do("FileStat", { path: "/var/lib/test/upper/etc/made", follow: false }).type,
      "directory"
    )
    assert.strictEqual(
      machine.do("FileStat", { path: "/var/lib/test/upper/far/away/made", follow: false }).type,
      "directory"
    )
    assert.strictEqual(
      failure(
        { _tag: "DirMake", path: "/circle/x", mode: 0o755 },
        {},
        [],
        new Machine({
          files: { "/images/busybox/circle": { link: "circle" } }
        })
      ),
      "ELOOP openat2 /circle/x"
    )
  })
})
