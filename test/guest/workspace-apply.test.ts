import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

interface Exported {
  readonly kind: string
  readonly output: string
  readonly digest: string
  readonly files: number
  readonly removed_files: number
  readonly equal_files: number
  readonly checked?: boolean
  readonly baseline_moved?: boolean
  readonly entries: ReadonlyArray<{ readonly path: string; readonly removed?: boolean; readonly replaced?: boolean }>
}

// The changes of a microVM come into the files of the directory that it was seeded from.
describe("workspace export --apply", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-apply-")
  const project = path.join(folder, "project")
  const { call, close, failure, json } = installation("pyro-apply-state-")
  const read = (name: string) => fs.readFileSync(path.join(project, name), "utf8")
  beforeAll(async () => {
    fs.mkdirSync(path.join(project, "old"), { recursive: true })
    fs.writeFileSync(path.join(project, "greet.sh"), "echo hello\n", { mode: 0o644 })
    fs.writeFileSync(path.join(project, "old/gone.txt"), "gone\n")
    fs.writeFileSync(path.join(project, "picture"), Buffer.from([0, 1, 2, 255]))
    await json(["workspace", "create", "--name", "fix", "--seed-path", project, ...smallSizes])
    const script =
      "echo 'echo bye' > greet.sh; chmod +x greet.sh; rm -r old; mkdir -p new/deep; head -c 5000 /dev/zero > new/deep/zeros; ln -s ../greet.sh new/run; printf '\\001\\000' > picture"
    assert.strictEqual((await call(["workspace", "exec", "fix", "--", "sh", "-c", script])).code, 0)
  })
  afterAll(async () => {
    await close()
    remove()
  })

  it("a check says what would be changed, and changes nothing", async () => {
    const { digest } = await json<{ readonly digest: string }>(["workspace", "diff", "fix"])
    const checked = await json<Exported>(["workspace", "export", "fix", "--apply", "--check", "--expect", digest])
    assert.deepInclude(checked, { kind: "changes", output: project, digest, checked: true, removed_files: 1 })
    assert.sameMembers(
      checked.entries.map(({ path }) => path),
      ["greet.sh", "new/deep/zeros", "new/run", "old/gone.txt", "picture"]
    )
    assert.strictEqual(read("greet.sh"), "echo hello\n")
    assert.sameMembers(fs.readdirSync(project), ["greet.sh", "old", "picture"])
  })

  it("a file that the person has changed refuses all, by name", async () => {
    fs.writeFileSync(path.join(project, "picture"), "mine")
    const refused = await failure(["workspace", "export", "fix", "--apply"])
    assert.strictEqual(refused.code, "export_refused")
    assert.include(refused.message, "picture: it has changed since pyro last read or wrote it")
    assert.strictEqual(read("greet.sh"), "echo hello\n")
    fs.writeFileSync(path.join(project, "picture"), Buffer.from([0, 1, 2, 255]))
  })

  it("the reviewed diff comes into the files of the project, also from a stopped workspace", async () => {
    await json(["workspace", "stop", "fix"])
    const { digest } = await json<{ readonly digest: string }>(["workspace", "diff", "fix"])
    const wrong = await failure(["workspace", "export", "fix", "--apply", "--expect", "0".repeat(64)])
    assert.include(wrong.message, "the diff is not the expected one any more")
    const done = await json<Exported>(["workspace", "export", "fix", "--apply", "--expect", digest])
    assert.deepInclude(done, { files: 3, removed_files: 1, equal_files: 0, digest })
    assert.strictEqual(read("greet.sh"), "echo bye\n")
    assert.strictEqual(fs.statSync(path.join(project, "greet.sh")).mode & 0o777, 0o755)
    assert.strictEqual(fs.readlinkSync(path.join(project, "new/run")), "../greet.sh")
    assert.strictEqual(read("new/deep/zeros").length, 5_000)
    assert.deepStrictEqual(fs.readFileSync(path.join(project, "picture")), Buffer.from([1, 0]))
    assert.sameMembers(fs.readdirSync(project), ["greet.sh", "new", "picture"])
    assert.strictEqual(done.baseline_moved, true)
    const again = await json<Exported>(["workspace", "export", "fix", "--apply"])
    assert.deepInclude(again, { files: 0, removed_files: 0, equal_files: 0, entries: [] })
    const { entries } = await json<{
      readonly entries: ReadonlyArray<{ readonly kind: string; readonly details: Readonly<Record<string, unknown>> }>
    }>(["workspace", "timeline", "fix", "--only", "events"])
    const exports = entries.filter(({ kind }) => kind === "export")
    assert.lengthOf(exports, 2, "a check is no export")
    assert.deepInclude(exports[0]!.details, { kind: "changes", to: project, digest, changed_files: 5 })
  })

  it("a second round begins after the first, and a reset keeps what was applied", async () => {
    await json(["workspace", "start", "fix"])
    const script = "echo 'echo again' > greet.sh; rm -r new; mkdir old; echo back > old/gone.txt"
    assert.strictEqual((await call(["workspace", "exec", "fix", "--", "sh", "-c", script])).code, 0)
    const done = await json<Exported>(["workspace", "export", "fix", "--apply"])
    assert.deepInclude(done, { files: 2, removed_files: 2, equal_files: 0, baseline_moved: true })
    assert.strictEqual(read("greet.sh"), "echo again\n")
    assert.sameMembers(fs.readdirSync(project), ["greet.sh", "old", "picture"])
    assert.strictEqual((await call(["workspace", "exec", "fix", "--", "sh", "-c", "rm -r *"])).code, 0)
    await json(["workspace", "reset", "fix"])
    const listed = await call(["workspace", "exec", "fix", "--", "sh", "-c", "sh greet.sh; find . -type f | sort"])
    assert.strictEqual(listed.stdout.toString(), "again\n./greet.sh\n./old/gone.txt\n./picture\n")
    const { summary } = await json<{ readonly summary: { readonly files: number } }>(["workspace", "diff", "fix"])
    assert.strictEqual(summary.files, 0)
  })
})
