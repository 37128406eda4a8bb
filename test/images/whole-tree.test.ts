import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { devices, everyKind, type Metadata, metadataProgram } from "../support/files/tree-metadata.ts"
import { installation } from "../support/installation.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-trees-test-")
const at = (name: string) => path.join(folder, name)
const sizes = ["--mem-mib", "512", "--disk-mib", "1024"] as const
let pyro: ReturnType<typeof installation>
let packaged: Metadata
let committed: Metadata

/** The walker, over all but file systems of the kernel, what each workspace has of its own, and the modules of pyro's kernel. */
const walk = [
  "python3",
  "-c",
  metadataProgram,
  "/",
  ...["proc", "sys", "dev", "run", "tmp", "workspace", "usr/lib/modules"].map((name) => `/${name}`)
]
/** Each start writes them. */
const OWN = ["etc/hostname", "etc/hosts", "etc/machine-id", "etc/resolv.conf"]

const good = async (...args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await pyro.call(args)
  assert.strictEqual(code, 0, `${args.slice(0, 4).join(" ")}: ${stderr}`)
  return stdout.toString()
}

const treeOf = async (environment: string) =>
  JSON.parse(await good("run", environment, "--user", "root", "--mem-mib", "512", "--", ...walk)) as Metadata

/** Paths whose metadata differ, with both, except for those that a pattern allows. */
const differences = (before: Metadata, after: Metadata, allowed?: RegExp) =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !OWN.includes(name) && allowed?.test(name) !== true)
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => [name, before[name], after[name]])

/** A new package changes the times of directories. */
const withoutTimesOfDirectories = (tree: Metadata): Metadata =>
  Object.fromEntries(
    Object.entries(tree).map(([name, row]) => [name, String(row[0]).startsWith("0o4") ? row.with(3, "") : row])
  )

beforeAll(async () => {
  pyro = installation("pyro-trees-")
  await good("create", "debian:12", "--name", "source", ...sizes)
  packaged = JSON.parse(await good("exec", "source", "--user", "root", "--", ...walk)) as Metadata
  const script = `mkdir /opt/kinds; cd /opt/kinds; ${everyKind}${devices}`
  await good("exec", "source", "--user", "root", "--", "sh", "-ec", script)
  committed = JSON.parse(await good("exec", "source", "--user", "root", "--", ...walk)) as Metadata
  assert.isAbove(Object.keys(committed).length, Object.keys(packaged).length + 740)
})

afterAll(async () => {
  await pyro.close()
  remove()
})

describe("all metadata of the whole tree", { concurrent: false, timeout: 900_000 }, () => {
  it.each([
    ["--packages", "tree", /^(usr\/(bin|share\/doc)\/tree(\/.*)?|var\/lib\/(dpkg|apt)(\/.*)?|var\/cache\/.*)$/],
    ["--npm", "is-number@7.0.0", /^usr\/local\/(bin|lib)(\/.*)?$/]
  ])("an environment with %s has what it had before", async (option, word, allowed) => {
    await good("env", "build", `with${option}`, "--from", "debian:12", option, word)
    const after = await treeOf(`with${option}`)
    assert.deepStrictEqual(
      differences(withoutTimesOfDirectories(packaged), withoutTimesOfDirectories(after), allowed),
      []
    )
    assert.isAbove(Object.keys(after).filter((name) => allowed.test(name)).length, 1)
  })

  it("a commit has the tree of its workspace", async () => {
    await good("commit", "source", "kinds")
    assert.deepStrictEqual(differences(committed, await treeOf("kinds")), [])
  })

  it("an export and its import have the tree", async () => {
    await good("env", "export", "kinds", "-o", at("kinds.tar"))
    await good("env", "import", at("kinds.tar"), "--name", "imported")
    assert.deepStrictEqual(differences(committed, await treeOf("imported")), [])
  })
})
