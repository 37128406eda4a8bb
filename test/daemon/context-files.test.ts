import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { rawClient } from "../mcp/raw-client.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"
import { processesWith } from "../support/ssh/processes-with.ts"
import { startSshd } from "../support/ssh/sshd.ts"

/** Every name of a tree with its type, mode, size, time of change and target. */
const LISTED = "cd /workspace && find . -name .git -prune -o -printf '%p %y %m %s %TY-%Tm-%Td %l\\n' | LC_ALL=C sort"

describe("files of this machine for a workspace of another", () => {
  const here = installation("pyro-files-here-")
  const there = installation("pyro-files-there-")
  const { folder, remove } = temporaryFolder("pyro-files-ssh-")
  const repository = path.join(folder, "project")
  let sshd: Awaited<ReturnType<typeof startSshd>>
  let env: Readonly<Record<string, string>>
  const command = [
    "env",
    ...Object.entries(there.env).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    pyroPath
  ].join(" ")
  const on = (context: string) => (args: ReadonlyArray<string>, more: object = {}) =>
    here.call(["--context", context, ...args], { env, ...more })
  const done = async (context: string, args: ReadonlyArray<string>, more: object = {}) => {
    const { code, stderr, stdout } = await on(context)(args, more)
    assert.strictEqual(code, 0, `${args.join(" ")}: ${stdout.toString()}${stderr}`)
    return stdout.toString()
  }
  const sh = (context: string, script: string) => done(context, ["exec", "fix", "--", "sh", "-ec", script])
  const json = async <A>(context: string, args: ReadonlyArray<string>) =>
    JSON.parse(await done(context, [...args, "--json"])) as A
  const inRepository = (name: string) => path.join(repository, name)
  const write = (name: string, text: string | Uint8Array) => {
    fs.mkdirSync(path.dirname(inRepository(name)), { recursive: true })
    fs.writeFileSync(inRepository(name), text)
  }
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
      cwd: repository,
      encoding: "utf8"
    })
  /** The same on both machines: the second one is another. */
  const both = async <A>(work: (context: string) => Promise<A>) => {
    const local = await work("local")
    assert.deepStrictEqual(await work("bench"), local)
    return local
  }

  beforeAll(async () => {
    sshd = await startSshd(folder)
    env = { PATH: `${sshd.bin}:${process.env["PATH"]}` }
    await here.json(["context", "add", "bench", "ssh://bench", "--command", command], { env })
    fs.mkdirSync(repository)
    git("init", "-q", "-b", "main")
    write(".gitignore", "/ignored\n*.log\n")
    write("src/a.txt", "a\n")
    write("src/run.sh", "#!/bin/sh\necho run\n")
    fs.chmodSync(inRepository("src/run.sh"), 0o755)
    write("big.bin", Buffer.alloc(3 * 1024 * 1024, "pyro"))
    fs.symlinkSync("src/a.txt", inRepository("link"))
    fs.symlinkSync("/etc/hostname", inRepository("outside"))
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    write("src/a.txt", "changed\n")
    write("new \u00e4.txt", "untracked\n")
    fs.writeFileSync(Buffer.concat([Buffer.from(`${repository}/odd-`), Buffer.from([0xff, 0xfe])]), "odd\n")
    write("empty", "")
    write("ignored/secret.env", "no\n")
    write("wanted.log", "log\n")
    fs.writeFileSync(path.join(folder, "way"), "")
  })
  afterAll(async () => {
    await done("bench", ["delete", "--all", "--yes"])
    await there.close()
    for (const pid of processesWith(folder, "ControlPath")) process.kill(pid)
    await sshd.stop()
    await here.close()
    remove()
  })

  it("seed it as on one machine, with their git", async () => {
    type Made = { readonly warnings: unknown; readonly workspace: { readonly seed_path: string } }
    const made = await both(async (context) => {
      const { warnings, workspace } = await json<Made>(context, [
        ...["create", "--name", "fix", "--seed-path", repository, "--include-ignored", "*.log", ...smallSizes]
      ])
      if (context === "bench") assert.strictEqual(workspace.seed_path, "client:project")
      return warnings
    })
    assert.include(JSON.stringify(made), "ignored")
    const listing = await both((context) => sh(context, LISTED))
    assert.include(listing, "./wanted.log f 644 4")
    assert.notInclude(listing, "secret.env")
    await both((context) =>
      sh(context, "cd /workspace && git status --porcelain && git log --oneline && cat src/a.txt")
    )
    await both((context) => sh(context, "sha256sum /workspace/big.bin"))
  })

  it("push their later changes, and never remove what they did not send", async () => {
    write("src/a.txt", "pushed\n")
    write("added/b.txt", "b\n")
    fs.rmSync(inRepository("empty"))
    // It is ignored and was seeded: it is still there, and no push removes it.
    assert.isTrue(fs.existsSync(inRepository("wanted.log")))
    const pushed = await both(async (context) => {
      type Pushed = { readonly removed_count: number; readonly files: ReadonlyArray<{ readonly path: string }> }
      const { files, removed_count, ...rest } = await json<Pushed>(context, [
        ...["sync", "push", "fix", repository, "--delete"]
      ])
      assert.strictEqual(removed_count, 1)
      return { ...rest, files: [...files].sort((one, other) => one.path < other.path ? -1 : 1) }
    })
    assert.include(JSON.stringify(pushed), "added/b.txt")
    await both((context) => sh(context, `${LISTED}; cat src/a.txt added/b.txt wanted.log`))
    await both(async (context) => (await json<{ readonly files: unknown }>(context, ["diff", "fix"])).files)
  })

  it("import files and directories under their names", async () => {
    await both(async (context) => {
      await sh(context, "mkdir -p /root/in")
      type Imported = { readonly skipped: ReadonlyArray<{ readonly path: string }> }
      const whole = await json<Imported>(context, ["import", "fix", repository, "/root/whole"])
      assert.include(whole.skipped.map(({ path }) => path), ".git")
      await done(context, ["import", "fix", inRepository("src"), "/root/in"])
      await done(context, ["import", "fix", inRepository("src/run.sh"), "/root/in/"])
      await done(context, ["import", "fix", inRepository("src/a.txt"), "/root/in/other.txt"])
      await done(context, ["import", "fix", "-", "/root/in/stdin"], { input: "stdin" })
      return sh(context, "cd /root/in && find . -type f -printf '%p %m %s\\n' | LC_ALL=C sort && cat other.txt")
    })
  })

  it("export and import a saved snapshot as a file of this machine", async () => {
    await both(async (context) => {
      await done(context, ["snapshot", "save", "fix", "kept"])
      const file = path.join(folder, `${context}.pyro`)
      const exported = await json<Readonly<Record<string, unknown>>>(context, [
        ...["saved", "export", "kept", "--disk-only", "--output", file]
      ])
      assert.deepStrictEqual([exported["output"], exported["bytes"]], [file, fs.statSync(file).size])
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      const again = await on(context)(["saved", "export", "kept", "--disk-only", "--output", file])
      assert.strictEqual(again.code, 1)
      assert.include(again.stderr, "there already")
      await done(context, ["saved", "import", file, "--name", "back", "--expect", String(exported["sha256"])])
      await done(context, ["create", "--from-snapshot", "back", "--name", "again"])
      const text = await done(context, ["exec", "again", "--", "cat", "/workspace/src/a.txt"])
      await done(context, ["delete", "again"])
      return text
    })
  })

  it("give an agent host the workspaces of its project there, and of no other", async () => {
    const serving = async (cwd: string) => {
      const client = rawClient([process.execPath, pyroPath, "mcp", "serve", "--context", "bench"], {
        env: { ...here.env, ...env },
        cwd
      })
      await client.initialize()
      const call = async (name: string, given: object) =>
        JSON.stringify((await client.request("tools/call", { name, arguments: given })).result)
      return { call, close: client.close }
    }
    const inside = await serving(repository)
    assert.include(await inside.call("workspace_create", { name: "ofhost" }), "client:project")
    const found = await inside.call("workspace_exec", { workspace_id: "ofhost", command: "cat src/a.txt" })
    assert.include(found, "pushed")
    // Not of a directory outside of the project.
    assert.include(await inside.call("workspace_sync_push", { workspace_id: "ofhost", source_path: folder }), "outside")
    inside.close()
    const below = await serving(inRepository("src"))
    assert.include(await below.call("workspace_list", {}), "ofhost")
    below.close()
    const other = path.join(folder, "other")
    fs.mkdirSync(other)
    const outside = await serving(other)
    assert.notInclude(await outside.call("workspace_list", {}), "ofhost")
    assert.include(await outside.call("workspace_exec", { workspace_id: "ofhost", command: "id" }), "not_found")
    outside.close()
    await done("bench", ["delete", "ofhost"])
  })

  it("never name a path of either machine to the other", async () => {
    const events = await done("bench", ["timeline", "fix", "--json"])
    const status = await done("bench", ["status", "fix", "--json"])
    for (const text of [events, status]) assert.notInclude(text, folder)
    const { code, stderr } = await on("bench")(["env", "pull", `oci-archive:${folder}/absent.tar`])
    assert.strictEqual(code, 2)
    assert.include(stderr, "context bench")
  })
})
