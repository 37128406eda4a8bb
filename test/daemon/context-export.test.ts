import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { forgetSource, rememberSource } from "../../src/remote/model/sources.ts"
import { rawClient } from "../mcp/raw-client.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { pyroPath, startPyro, temporaryFolder } from "../support/pyro-cli.ts"
import { killWith } from "../support/ssh/processes-with.ts"
import { startSshd } from "../support/ssh/sshd.ts"
import { untilTrue } from "../support/until.ts"

describe("an export from a machine that ssh reaches", () => {
  const here = installation("pyro-over-here-")
  const there = installation("pyro-over-there-")
  const { folder, remove } = temporaryFolder("pyro-over-ssh-")
  let sshd: Awaited<ReturnType<typeof startSshd>>
  let env: Readonly<Record<string, string>>
  const server = ["env", ...Object.entries(there.env).map(([name, value]) => `${name}=${value}`)]
  const command = [...server, process.execPath, pyroPath].join(" ")
  const onBench = (args: ReadonlyArray<string>, more: object = {}) =>
    here.call(["--context", "bench", ...args], { env, ...more })
  const ok = async (args: ReadonlyArray<string>, more: object = {}) => {
    const { code, stderr, stdout } = await onBench(args, more)
    assert.strictEqual(code, 0, stderr)
    return { stderr, stdout: stdout.toString() }
  }
  const sh = async (script: string) => (await ok(["exec", "fix", "--", "sh", "-ec", script])).stdout.trim()
  const out = (name: string) => path.join(folder, "out", name)
  beforeAll(async () => {
    sshd = await startSshd(folder)
    env = { PATH: `${sshd.bin}:${process.env["PATH"]}` }
    fs.mkdirSync(path.join(folder, "out"))
    await here.json(["context", "add", "bench", "ssh://bench", "--command", command], { env })
    await ok(["create", "--name", "fix", ...smallSizes])
    await sh(
      "mkdir -p src/deep; echo one > src/one; echo two > src/deep/two; chmod 755 src/one; ln -s one src/link; cd src; mkfifo pipe"
    )
  })
  afterAll(async () => {
    await there.close()
    // Its connections end with their ControlPersist otherwise.
    killWith(folder, "ControlPath")
    await sshd.stop()
    await here.close()
    remove()
  })

  it("writes files and directories here, with the notes of one machine, and nothing there", async () => {
    const { stderr } = await ok(["export", "fix", "src", "--output", out("src")])
    assert.strictEqual(fs.readFileSync(out("src/deep/two"), "utf8"), "two\n")
    assert.strictEqual(fs.readlinkSync(out("src/link")), "one")
    assert.strictEqual(fs.statSync(out("src/one")).mode & 0o777, 0o755)
    assert.isFalse(fs.existsSync(out("src/pipe")))
    assert.include(stderr, "pipe")
    const again = await here.failure(["--context", "bench", "export", "fix", "src", "--output", out("src")], { env })
    assert.strictEqual(again.code, "export_refused")
    const { entries, files, kind } = await here.json<{
      readonly entries: ReadonlyArray<{ readonly path: string; readonly replaced?: boolean }>
      readonly files: number
      readonly kind: string
    }>(["--context", "bench", "export", "fix", "src", "--output", out("src"), "--overwrite"], { env })
    assert.deepStrictEqual([files, kind, entries.filter(({ replaced }) => replaced).length], [2, "directory", 3])
    await ok(["export", "fix", "src", "--output", out("src.tar.gz")])
    assert.include(execFileSync("tar", ["-tzf", out("src.tar.gz")], { encoding: "utf8" }), "deep/two")
    const { stdout } = await ok(["export", "fix", "src/one", "--output", "-"])
    assert.strictEqual(stdout, "one\n")
    const { stdout: told } = await ok(["timeline", "fix"])
    assert.include(told, "the caller's computer")
    assert.notInclude(told, folder)
  })

  it("copies out with cp, also what is not in /workspace", async () => {
    await ok(["cp", "fix:/etc/hostname", out("hostname")])
    assert.strictEqual(fs.readFileSync(out("hostname"), "utf8").trim(), "fix")
    await ok(["cp", "fix:src/one", `${folder}/out/`])
    assert.strictEqual(fs.readFileSync(out("one"), "utf8"), "one\n")
  })

  it("carries large and many files", async () => {
    await sh(
      "mkdir many; cd many; for i in $(seq 300); do echo $i > $i; done; head -c 5000000 /dev/urandom > large; sha256sum large > sum"
    )
    await ok(["export", "fix", "many", "--output", out("many")])
    assert.strictEqual(fs.readdirSync(out("many")).length, 302)
    execFileSync("sha256sum", ["-c", "sum"], { cwd: out("many") })
    await sh("rm -r many")
  })

  it("goes on with an export whose ssh and whose server are killed", async () => {
    await sh("head -c 80000000 /dev/urandom > large; sha256sum large > sum")
    const { finished } = startPyro(["--context", "bench", "export", "fix", "large", "sum", "--output", out("held")], {
      env: { ...here.env, ...env }
    })
    const staged = () =>
      fs.readdirSync(path.join(folder, "out"), { recursive: true, withFileTypes: true }).reduce(
        (most, one) => one.isFile() ? Math.max(most, fs.statSync(path.join(one.parentPath, one.name)).size) : most,
        0
      )
    const cuts: Array<number> = []
    for (const least of [8_000_000, 30_000_000]) {
      await untilTrue(() => staged() >= least)
      cuts.push(staged())
      killWith(folder, "serve --stdio")
      killWith("pyro-relay", there.state)
    }
    const { code, stderr } = await finished
    assert.strictEqual(code, 0, stderr)
    assert.isBelow(cuts[1]!, 80_000_000)
    execFileSync("sha256sum", ["-c", "sum"], { cwd: out("held") })
    await sh("rm large sum")
  })

  it("leaves nothing of an export that is interrupted", async () => {
    await sh("head -c 100000000 /dev/zero > large")
    const before = fs.readdirSync(path.join(folder, "out")).sort()
    const { child, finished } = startPyro(["--context", "bench", "export", "fix", "large", "--output", out("large")], {
      env: { ...here.env, ...env }
    })
    await untilTrue(() => fs.readdirSync(path.join(folder, "out")).length > before.length)
    child.kill("SIGINT")
    assert.notStrictEqual((await finished).code, 0)
    assert.deepStrictEqual(fs.readdirSync(path.join(folder, "out")).sort(), before)
    await sh("rm large")
  })

  it("refuses here what tools of this computer would execute", async () => {
    await sh("mkdir -p conf; echo x=1 > conf/.envrc")
    const args = ["--context", "bench", "export", "fix", "conf", "--output", out("conf")]
    const { code, message } = await here.failure(args, { env })
    assert.strictEqual(code, "export_refused")
    assert.include(message, ".envrc")
    assert.isFalse(fs.existsSync(out("conf")))
    await ok(["export", "fix", "conf", "--output", out("conf"), "--allow-executable-config"])
    assert.isTrue(fs.existsSync(out("conf/.envrc")))
    await sh("rm -r conf")
  })

  it("makes a patch, and changes in a directory that was the seed, whose baseline moves there", async () => {
    const project = out("project")
    fs.mkdirSync(project)
    await ok(["export", "fix", "--patch", "--output", out("fix.patch")])
    execFileSync("git", ["apply", "--check", out("fix.patch")], { cwd: project })
    type Diff = { readonly digest: string; readonly files: ReadonlyArray<unknown> }
    const { digest } = await here.json<Diff>(["--context", "bench", "diff", "fix"], { env })
    const wrong = ["--context", "bench", "export", "fix", "--apply", "--output", project, "--expect", "0".repeat(64)]
    assert.include((await here.failure(wrong, { env })).message, "not the expected one")
    const missing = await here.failure(["--context", "bench", "export", "fix", "--apply"], { env })
    assert.include(missing.message, "not seeded from a directory of this computer")

    const { id } = (await there.list())[0]!
    const of = { stateDir: here.state, context: { name: "bench", url: "ssh://bench" } }
    await Effect.runPromise(rememberSource(of, id, project))
    type Applied = { readonly baseline_moved?: boolean; readonly files: number; readonly checked?: boolean }
    const apply = (...more: ReadonlyArray<string>) =>
      here.json<Applied>(["--context", "bench", "export", "fix", "--apply", "--expect", digest, ...more], { env })
    assert.deepInclude(await apply("--check"), { checked: true, files: 2 })
    assert.deepStrictEqual(fs.readdirSync(project), [])
    assert.deepInclude(await apply(), { baseline_moved: true, files: 2 })
    assert.strictEqual(fs.readFileSync(path.join(project, "src/deep/two"), "utf8"), "two\n")
    const after = await here.json<Diff>(["--context", "bench", "diff", "fix"], { env })
    assert.deepStrictEqual(after.files, [])

    await sh("echo changed > src/one; echo three > src/three")
    fs.writeFileSync(path.join(project, "src/one"), "mine\n")
    const { code, message } = await here.failure(["--context", "bench", "export", "fix", "--apply"], { env })
    assert.strictEqual(code, "export_refused")
    assert.include(message, "files have changed on the host")
    assert.isFalse(fs.existsSync(path.join(project, "src/three")))
    await Effect.runPromise(forgetSource(of, id))
  })

  it("asks there before the content leaves, and the question names no path of this computer", async () => {
    const asking = (name: string) => {
      const args = ["--context", "bench", "export", "fix", "src/one", "--output", out(name), "--ask"]
      return startPyro(args, { env: { ...here.env, ...env } })
    }
    const pending = async () => {
      let found: ReadonlyArray<{ readonly request: string; readonly output: string }> = []
      await untilTrue(async () => {
        const [one] = await there.list() as unknown as ReadonlyArray<{ readonly pending_exports?: typeof found }>
        found = one?.pending_exports ?? []
        return found.length === 1
      })
      return found[0]!
    }
    const allowed = asking("allowed")
    const { output, request } = await pending()
    assert.strictEqual(output, "the caller's computer")
    await ok(["answer", "fix", request, "allow"])
    assert.strictEqual((await allowed.finished).code, 0)
    assert.isTrue(fs.existsSync(out("allowed")))
    const denied = asking("denied")
    await ok(["answer", "fix", (await pending()).request, "deny"])
    const { code, stderr } = await denied.finished
    assert.notStrictEqual(code, 0)
    assert.include(stderr, "denied")
    assert.isFalse(fs.existsSync(out("denied")))
  })

  it("writes for a model in the project of this computer alone", async () => {
    const project = fs.realpathSync(fs.mkdtempSync(path.join(folder, "model-")))
    const client = rawClient([process.execPath, pyroPath, "mcp", "serve", "--context", "bench", "--all-workspaces"], {
      env: { ...here.env, ...env },
      cwd: project
    })
    await client.initialize()
    const exported = async (output: string) => {
      const { result } = await client.request("tools/call", {
        name: "workspace_export",
        arguments: { workspace_id: "fix", path: "src/deep/two", output_path: output }
      })
      return JSON.stringify(result)
    }
    assert.notInclude(await exported("two.txt"), "\"isError\":true")
    assert.strictEqual(fs.readFileSync(path.join(project, "two.txt"), "utf8"), "two\n")
    assert.include(await exported(out("outside.txt")), "\"isError\":true")
    fs.symlinkSync(path.join(folder, "out"), path.join(project, "away"))
    assert.include(await exported("away/outside.txt"), "\"isError\":true")
    assert.isFalse(fs.existsSync(out("outside.txt")))
    client.close()
  })
})
