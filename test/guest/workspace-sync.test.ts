import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { pyro, temporaryFolder } from "../support/pyro-cli.ts"

describe("files pushed into a workspace later", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-sync-")
  const [state, repo] = [path.join(folder, "state"), path.join(folder, "repo")]
  const env = { PYRO_STATE_DIR: state, GIT_CEILING_DIRECTORIES: folder }
  afterAll(async () => {
    await pyro(["workspace", "delete", "--all"], { env })
    await pyro(["daemon", "stop"], { env })
    remove()
  })

  const ok = async (...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await pyro(["workspace", ...args], { env })
    assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
    return stdout.toString()
  }
  const json = async (...args: ReadonlyArray<string>) => JSON.parse(await ok(...args, "--json")) as never
  interface Diff {
    readonly files: ReadonlyArray<{ readonly path: string; readonly status: string; readonly additions: number }>
    readonly ignored_count: number
  }
  const changed = async () => {
    const { files } = await json("diff", "w") as Diff
    return files.map(({ path, status }) => `${status} ${path}`)
  }
  const host = (name: string, content: string) => {
    fs.mkdirSync(path.dirname(path.join(repo, name)), { recursive: true })
    fs.writeFileSync(path.join(repo, name), content)
  }
  it("pushed files belong to the seed: not in the diff, and kept by a reset", async () => {
    host("a", "1\n")
    host("gone", "g\n")
    host(".gitignore", "*.log\n")
    execFileSync("git", ["init", "-q", repo])
    await ok("create", "--name", "w", "--seed-path", repo)
    host("a", "2\n")
    host("new/file", "n\n")
    host("new/.gitignore", "*.tmp\n")
    fs.rmSync(path.join(repo, "gone"))
    const pushed = await json("sync", "push", "w", repo, "--delete") as { readonly files_pushed: number }
    assert.strictEqual(pushed.files_pushed, 4)
    assert.deepStrictEqual(await changed(), [])

    await ok("exec", "w", "--", "sh", "-c", "echo mine >> a; rm new/file; echo t > new/x.tmp; echo back > gone")
    assert.deepStrictEqual(await changed(), ["modified a", "added gone", "deleted new/file"])
    const { files, ignored_count } = await json("diff", "w", "--stat") as Diff
    assert.deepStrictEqual([files[0]?.additions, ignored_count], [1, 1])
    // The patch is against the host's files as they were pushed.
    const patch = path.join(folder, "mine.patch")
    await ok("export", "w", "--patch", "--output", patch)
    execFileSync("git", ["-C", repo, "apply", patch])
    assert.strictEqual(fs.readFileSync(path.join(repo, "a"), "utf8"), "2\nmine\n")
    execFileSync("git", ["-C", repo, "apply", "-R", patch])

    await ok("reset", "w")
    assert.deepStrictEqual(await changed(), [])
    assert.deepStrictEqual([await ok("file", "read", "w", "a"), await ok("file", "read", "w", "new/file")], [
      "2\n",
      "n\n"
    ])
    const { entries } = await json("file", "list", "w") as {
      readonly entries: ReadonlyArray<{ readonly path: string }>
    }
    assert.deepStrictEqual(entries.map(({ path }) => path).sort(), [".git", ".gitignore", "a", "new"])
    const again = await json("sync", "push", "w", repo, "--delete") as { readonly files_pushed: number }
    assert.strictEqual(again.files_pushed, 0)

    // It is remembered with the disk, and without the daemon that was told.
    await ok("exec", "w", "--", "sh", "-c", "echo more >> a")
    await ok("stop", "w")
    await ok("start", "w")
    assert.deepStrictEqual(await changed(), ["modified a"])
    await pyro(["daemon", "stop"], { env })
    assert.deepStrictEqual(await changed(), ["modified a"])
  })

  it("a push leaves files alone that were changed in the workspace", async () => {
    host("a", "3\n")
    assert.strictEqual((await pyro(["workspace", "sync", "push", "w", repo], { env })).code, 1)
    assert.strictEqual(await ok("file", "read", "w", "a"), "2\nmore\n")
    host("a", "2\n")
  })

  it("the event log and the summary record pushes and exports", async () => {
    const [id] = fs.readdirSync(path.join(state, "workspaces"))
    const log = fs.readFileSync(path.join(state, "workspaces", id!, "events.jsonl"), "utf8").trim().split("\n")
    const lifecycle = ["created", "started", "stopped"]
    const events = log.map((line) => JSON.parse(line) as { readonly _tag: string; readonly from?: string })
      .filter(({ _tag }) => !lifecycle.includes(_tag))
    assert.deepStrictEqual(events.map(({ _tag }) => _tag), [
      "seed",
      "sync_push",
      "export",
      "reset",
      "sync_push",
      "sync_push"
    ])
    assert.deepStrictEqual(events.slice(0, 2).map(({ from }) => from), [repo, repo])
    assert.isTrue((await pyro(["workspace", "exec", "w", "--", "false"], { env })).code === 1)
    await ok("export", "w", "a", "--output", path.join(folder, "a"))
    const summary = await json("summary", "w") as {
      readonly commands: { readonly failed: number; readonly last_failed: ReadonlyArray<{ readonly command: string }> }
      readonly changes: { readonly first: ReadonlyArray<unknown> }
      readonly exports: ReadonlyArray<{ readonly path: string }>
      readonly export_count: number
    }
    assert.deepStrictEqual(summary.commands.last_failed.map(({ command }) => command), ["false"])
    assert.deepStrictEqual(summary.changes.first, [{ path: "a", status: "modified" }])
    assert.deepStrictEqual([summary.export_count, summary.exports[0]?.path], [1, "a"])
    await ok("stop", "w")
    const stopped = await json("summary", "w") as typeof summary
    assert.deepStrictEqual(stopped.changes.first, summary.changes.first)
  })
})
