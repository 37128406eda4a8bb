import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { programIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import type { TarEntry } from "../support/oci/tar.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

// whole-tree.test.ts has packages, commits and archives over Debian. This file has builds over an image that has one file of each kind.

const [OVER, AGAIN, CONTAINER] = ["over", "again", "container"].map((name) => `tree-${name}${process.pid}`) as [
  string,
  string,
  string
]
const { folder, remove } = temporaryFolder("pyro-built-trees-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let base = ""

const capability = Buffer.from("0100000200200000000000000000000000000000", "hex")

/** An access list with a further user, as the kernel keeps it: tag, permissions and id of each entry. */
const accessList = Buffer.concat([
  Buffer.from([2, 0, 0, 0]),
  ...([[1, 7, -1], [2, 6, 7], [4, 5, -1], [16, 7, -1], [32, 5, -1]] as const).map(([tag, permissions, id]) => {
    const entry = Buffer.alloc(8)
    entry.writeUInt16LE(tag, 0)
    entry.writeUInt16LE(permissions, 2)
    entry.writeInt32LE(id, 4)
    return entry
  })
])

const entries: ReadonlyArray<TarEntry> = [
  { name: "etc/", type: "5" },
  { name: "kinds/", type: "5", mode: 0o755, mtime: 1_000_000_000 },
  { name: "kinds/plain", data: "text", mode: 0o640, pax: { "SCHILY.xattr.user.note": "n".repeat(300) } },
  { name: "kinds/empty", mode: 0 },
  { name: "kinds/set-id", data: "program", mode: 0o6755, uid: 7, gid: 8, mtime: 981_173_106 },
  { name: "kinds/capable", data: "program", mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability } },
  { name: "kinds/sticky/", type: "5", mode: 0o1777, pax: { "SCHILY.xattr.user.note": "x" } },
  { name: "kinds/set-group/", type: "5", mode: 0o2750, gid: 50 },
  { name: "kinds/deep/", type: "5", mode: 0o775, pax: { "SCHILY.xattr.system.posix_acl_access": accessList } },
  { name: "kinds/deep/er/", type: "5", uid: 100_000, gid: 2_000_000, mtime: 1_000_000_002 },
  { name: "kinds/deep/er/same", type: "1", target: "kinds/set-id" },
  { name: "kinds/link", type: "2", target: "plain", uid: 1000, gid: 1000, mtime: 1_234_567_890 },
  { name: "kinds/pipe", type: "6", mode: 0o620, uid: 3 },
  { name: "kinds/character", type: "3", mode: 0o666, device: [10, 229] },
  { name: "kinds/disk", type: "4", mode: 0o660, gid: 6, device: [300, 70_000] },
  { name: "kinds/name with blank", data: "name" }
]

/** Lines of the walker by path. Each start writes some of them. */
const treeOf = async (environment: string) => {
  const { code, stderr, stdout } = await pyro.call([
    ...["run", environment, "--mem-mib", "256", "--", "/tree"],
    ...["/dev", "/lib/modules", "/proc", "/run", "/sys", "/tmp", "/usr/lib/modules", "/workspace"]
  ])
  assert.strictEqual(code, 0, stderr)
  const lines = stdout.toString().trim().split("\n").map((line) => line.split("\t") as [string, string])
  return new Map(lines.filter(([name]) => !/^\/etc(\/(hostname|hosts|machine-id|resolv\.conf))?$/.test(name)))
}

/** Paths whose metadata differ, with both. */
const differences = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name))
    .map((name) => [name, before.get(name), after.get(name)])

const context = (name: string, files: Readonly<Record<string, string>>) => {
  const directory = path.join(folder, name)
  fs.mkdirSync(directory)
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text, { mode: 0o644 })
  return directory
}

const build = async (name: string, ...args: ReadonlyArray<string>) => {
  const { code, stderr } = await pyro.call(["env", "build", name, ...args, "--allow-host", registry.host])
  assert.strictEqual(code, 0, stderr)
  return treeOf(name)
}

beforeAll(async () => {
  const image = imageOf([[programIn(folder, "tree"), ...entries]], { Cmd: ["/tree"] })
  registry = await startRegistry({ "kinds:1": image })
  base = `${registry.host}/kinds:1`
  pyro = installation("pyro-built-trees-")
  await pyro.json(["env", "pull", base])
})

afterAll(async () => {
  await pyro.call(["env", "rm", OVER, AGAIN, CONTAINER, base])
  await pyro.close()
  await registry.close()
  remove()
})

describe("all metadata of the tree that a build begins with", { concurrent: false, timeout: 600_000 }, () => {
  let pulled: ReadonlyMap<string, string>

  it("a pulled image has the metadata of its layers", async () => {
    pulled = await treeOf(base)
    for (const { name } of entries.filter((entry) => entry.name !== "etc/")) {
      assert.isTrue(pulled.has(`/${name.replace(/\/$/, "")}`), name)
    }
    assert.match(pulled.get("/kinds/set-id")!, /^106755 7:8 981173106 7 bytes, 2 links [0-9a-f]{16}$/)
    assert.match(
      pulled.get("/kinds/capable")!,
      new RegExp(`^100755 0:0 .* security\\.capability=${capability.toString("hex")}$`)
    )
    assert.match(pulled.get("/kinds/deep")!, new RegExp(` system\\.posix_acl_access=${accessList.toString("hex")}$`))
    assert.match(pulled.get("/kinds/deep/er")!, /^40755 100000:2000000 1000000002$/)
    assert.match(pulled.get("/kinds/disk")!, /^60660 0:6 \d+ 0 bytes, 1 links device [0-9a-f]+$/)
    assert.match(pulled.get("/kinds/link")!, /^120\d+ 1000:1000 1234567890 5 bytes, 1 links -> plain$/)
  })

  it.each([
    ["that this host has", OVER, []],
    ["of a registry", AGAIN, ["--pull"]]
  ])("a Dockerfile's build over an image %s leaves it as it was", async (_, name, more) => {
    const directory = context(name, {
      Dockerfile: `FROM ${base}\nCOPY added /kinds/added\nRUN ["/tree", "/dev", "/proc", "/sys"]\n`,
      added: "of the context"
    })
    const after = await build(name, "--dockerfile", directory, ...more)
    assert.deepStrictEqual(differences(pulled, after).map(([file]) => file).sort(), ["/kinds", "/kinds/added"])
    assert.match(after.get("/kinds")!, /^40755 0:0 \d+$/)
    assert.match(after.get("/kinds/added")!, /^100644 0:0 /)
  })

  it("a dev container's environment has the tree of its image, and the link to the project", async () => {
    const directory = context(CONTAINER, { ".devcontainer.json": JSON.stringify({ image: base }) })
    const after = await build(CONTAINER, "--devcontainer", directory)
    assert.deepStrictEqual(differences(pulled, after).map(([file]) => file), [
      "/workspaces",
      `/workspaces/${CONTAINER}`
    ])
  })
})
