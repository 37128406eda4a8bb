import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { ODD_NAMES } from "../support/odd-names.ts"

const pyro = installation("pyro-odd-names-", { env: { PYRO_POOL_MEMBERS: "0" } })
const { call, create, folder, json, sh, step } = pyro
afterAll(pyro.close)

const project = path.join(folder, "project")
const cat = "for name in $(ls -A); do echo $name $(cat $name); done"

interface Diff {
  readonly files: ReadonlyArray<{ readonly path: string; readonly status: string }>
}

/** Lines of `cat` with the project's own file, in order. */
const filesWith = (content: string) => ["own mine", ...ODD_NAMES.map((name) => `${name} ${content}`)].sort()
const filesOf = async (workspace: string) => (await sh(workspace, cat)).split("\n").sort()

const changes = async (workspace: string) =>
  (await json<Diff>(["workspace", "diff", workspace])).files.map(({ path, status }) => `${status} ${path}`).sort()

const writeAll = (content: string) => {
  for (const name of ODD_NAMES) fs.writeFileSync(path.join(project, name), `${content}\n`)
}

describe("files whose names plain objects treat specially", { concurrent: false }, () => {
  beforeAll(async () => {
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, "own"), "mine\n")
    await create(["--name", "w", "--seed-path", project])
    writeAll("pushed")
    await json(["workspace", "sync", "push", "w", project])
  })

  it("pushed files named __proto__ and the like belong to the seed, and reset keeps them", async () => {
    assert.deepStrictEqual(await filesOf("w"), filesWith("pushed"))
    assert.deepStrictEqual(await changes("w"), [])
    await sh("w", "rm -- *")
    await step("reset", "w")
    assert.deepStrictEqual(await filesOf("w"), filesWith("pushed"))
    assert.deepStrictEqual(await changes("w"), [])
  })

  it("files named __proto__ and the like are in forks, and in a reset fork", async () => {
    await json(["workspace", "fork", "w", "--name", "child"])
    assert.deepStrictEqual(await filesOf("child"), filesWith("pushed"))
    await sh("child", "rm -- *")
    assert.deepStrictEqual(await changes("child"), [...ODD_NAMES, "own"].map((name) => `deleted ${name}`).sort())
    await step("reset", "child")
    assert.deepStrictEqual(await filesOf("child"), filesWith("pushed"))
  })

  it("files named __proto__ and the like are in the diff and in a patch that git applies", async () => {
    await sh("w", `for name in ${ODD_NAMES.join(" ")}; do echo changed > $name; done`)
    assert.deepStrictEqual(await changes("w"), ODD_NAMES.map((name) => `modified ${name}`).sort())
    const patch = path.join(folder, "odd.patch")
    await json(["workspace", "export", "w", "--patch", "--output", patch])
    execFileSync("git", ["apply", patch], { cwd: project, env: { ...process.env, GIT_CEILING_DIRECTORIES: folder } })
    for (const name of ODD_NAMES) assert.strictEqual(fs.readFileSync(path.join(project, name), "utf8"), "changed\n")
    await json(["workspace", "patch", "apply", "child", "--patch-file", patch])
    assert.deepStrictEqual(await filesOf("child"), filesWith("changed"))
  })

  it("files named __proto__ and the like are exported singly and with their directory", async () => {
    for (const name of ODD_NAMES) {
      const { stdout } = await call(["workspace", "export", "w", name, "--output", "-"])
      assert.strictEqual(stdout.toString(), "changed\n", name)
    }
    const output = path.join(folder, "out")
    await json(["workspace", "export", "w", ".", "--output", output])
    assert.sameMembers(fs.readdirSync(output), [...ODD_NAMES, "own"])
  })

  it("files named __proto__ and the like that a push removes stay removed after a reset", async () => {
    for (const name of ODD_NAMES) fs.rmSync(path.join(project, name))
    await json(["workspace", "sync", "push", "w", project, "--delete", "--force"])
    assert.deepStrictEqual(await filesOf("w"), ["own mine"])
    await step("reset", "w")
    assert.deepStrictEqual(await filesOf("w"), ["own mine"])
  })
})
