import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { DiffResult } from "../../src/contract/rows/workspace-diff.ts"
import type { FileList } from "../../src/contract/rows/workspace-file.ts"
import { watchRss } from "../support/host/process-facts.ts"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-large-tree-")
const { call, create, daemonPid, failure, folder, json, sh } = pyro

const DIRECTORIES = 1_000
const FILES = 100_000
const MIB = 1024 * 1024

const host = path.join(folder, "host")
const nameOf = (number: number) =>
  `d${String(number % DIRECTORIES).padStart(3, "0")}/f${String(Math.floor(number / DIRECTORIES)).padStart(2, "0")}`
const append = (number: number, text: string) => fs.appendFileSync(path.join(host, nameOf(number)), text)

describe("a tree of 100,000 files", () => {
  let rss: ReturnType<typeof watchRss>
  beforeAll(async () => {
    for (let directory = 0; directory < DIRECTORIES; directory++) {
      fs.mkdirSync(path.dirname(path.join(host, nameOf(directory))), { recursive: true })
    }
    for (let number = 0; number < FILES; number++) append(number, `file ${number}\n`)
    await create(["--name", "w", "--mem-mib", "1024", "--disk-mib", "4096", "--seed-path", host])
    rss = watchRss(await daemonPid())
  })
  afterAll(pyro.close)

  it("a tree of 100,000 files is seeded whole and listed up to the limit", async () => {
    assert.strictEqual(await sh("w", "find . -type f | wc -l"), String(FILES))
    const listed = await json<{ readonly [Key in keyof FileList]: FileList[Key] }>(
      ["workspace", "file", "list", "w", "--recursive", "--limit", "10000"]
    )
    assert.deepStrictEqual([listed.entries.length, listed.truncated, listed.total], [10_000, true, FILES + DIRECTORIES])
    // All of the upper level, although what is beneath the first of it would fill the list.
    assert.strictEqual(listed.entries.filter(({ type }) => type === "directory").length, DIRECTORIES)
    const { stderr } = await call(["workspace", "file", "list", "w", "--recursive"])
    assert.include(stderr, "there is more")
  })

  it("a tree of 100,000 files has a diff of a few changes", async () => {
    assert.strictEqual((await json<DiffResult>(["workspace", "diff", "w"])).summary.files, 0)
    await sh("w", `echo a >> ${nameOf(1)}; rm ${nameOf(2)}; mv ${nameOf(3)} moved; echo n > new`)
    const { files } = await json<DiffResult>(["workspace", "diff", "w"])
    assert.deepStrictEqual(files.map(({ path, status }) => `${status} ${path}`), [
      `modified ${nameOf(1)}`,
      `deleted ${nameOf(2)}`,
      "renamed moved",
      "added new"
    ])
  })

  it("a diff of more than 20,000 changes is bounded and reports the rest", async () => {
    await sh("w", "for f in d1*/* d2*/*; do echo more >> $f; done; for f in d3*/f0*; do echo more >> $f; done")
    const expected = 20_000 + 1_000 + 4
    const diff = await json<{
      readonly summary: { readonly files: number; readonly additions: number }
      readonly files: ReadonlyArray<unknown>
      readonly unlisted: number
      readonly patch: string
      readonly patch_bytes: number
      readonly truncated: boolean
      readonly digest: string
    }>(["workspace", "diff", "w", "--max-bytes", "2097152"])
    assert.deepInclude(diff, { truncated: true, unlisted: expected - 20_000 })
    assert.deepInclude(diff.summary, { files: expected, additions: expected - 2 })
    assert.strictEqual(diff.files.length, 20_000)
    assert.isAtMost(diff.patch.length, 2 * MIB)
    assert.isAbove(diff.patch_bytes, 2 * MIB)
    const names = await call(["workspace", "diff", "w", "--name-only"])
    assert.strictEqual(names.stdout.toString().split("\n").length - 1, 20_000)
    assert.include(names.stderr, `${expected - 20_000} files more`)
    const { changes } = await json<{ readonly changes: { readonly files: number } }>(["workspace", "summary", "w"])
    assert.strictEqual(changes.files, expected)
    // The whole of it is exported, and is what the digest says.
    const patch = path.join(folder, "whole.patch")
    await json(["workspace", "export", "w", "--patch", "--output", patch, "--expect", diff.digest])
    assert.strictEqual(fs.statSync(patch).size, diff.patch_bytes)
  })

  it("a tree of 100,000 files is exported if that many entries are allowed", async () => {
    const output = path.join(folder, "exported")
    const refused = await failure(["workspace", "export", "w", ".", "--output", output])
    assert.include(refused.message, "--max-entries")
    assert.isFalse(fs.existsSync(output))
    const args = ["workspace", "export", "w", ".", "--output", output, "--max-entries", "200000"]
    const exported = await json<{ readonly files: number; readonly entries: ReadonlyArray<unknown> }>(args)
    assert.deepStrictEqual([exported.files, exported.entries.length], [FILES, FILES + DIRECTORIES + 1])
    assert.strictEqual(fs.readFileSync(path.join(output, nameOf(99_999)), "utf8"), "file 99999\n")
    fs.rmSync(output, { recursive: true })
  })

  it("a push of 5,000 files reports conflicts, and a reset keeps the files", async () => {
    for (let number = 0; number < FILES; number += 20) append(number, "pushed\n")
    interface Pushed {
      readonly files_pushed: number
      readonly conflict_count: number
      readonly conflicts: ReadonlyArray<unknown>
    }
    const before = await json<DiffResult>(["workspace", "diff", "w", "--name-only"])
    const pushed = await json<Pushed>(["workspace", "sync", "push", "w", host])
    assert.strictEqual(pushed.files_pushed + pushed.conflict_count, FILES / 20)
    assert.isAbove(pushed.conflict_count, 1_000)
    assert.strictEqual(pushed.conflicts.length, 1_000)
    assert.deepStrictEqual(await json<DiffResult>(["workspace", "diff", "w", "--name-only"]), before)
    await pyro.step("reset", "w")
    assert.strictEqual((await json<DiffResult>(["workspace", "diff", "w"])).summary.files, 0)
    assert.strictEqual(await sh("w", `cat ${nameOf(80)}`), "file 80\npushed")
    assert.strictEqual(
      (await json<Pushed>(["workspace", "sync", "push", "w", host])).files_pushed,
      pushed.conflict_count
    )
  })

  it("a tree of 100,000 files does not grow the daemon beyond its bound", () => {
    assert.isBelow(rss.stop(), 1_536 * MIB)
  })
})
