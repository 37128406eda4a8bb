import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, vmmOf, type Workspace } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

const pyro = installation("pyro-user-", { env: { GIT_CEILING_DIRECTORIES: "/tmp" } })
const { call, create, folder, json, sh, status, step } = pyro
const { fork, snapshot } = snapshots(pyro)
afterAll(pyro.close)

const repo = path.join(folder, "repo")
const git = (...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@x", ...args], { encoding: "utf8" })

beforeAll(() => {
  fs.mkdirSync(path.join(repo, "src"), { recursive: true })
  for (const name of ["README", "src/edited", "src/deleted"]) fs.writeFileSync(path.join(repo, name), `${name}\n`)
  fs.symlinkSync("README", path.join(repo, "link"))
  git("init", "-q", "-b", "main")
  git("add", "-A")
  git("commit", "-q", "-m", "first")
})

const userOf = async (name: string) =>
  (await status(name) as Workspace & { readonly workspace_user?: string }).workspace_user

/** Owners of paths of /workspace, or what there is of everything in it that is not `agent`'s. */
const owners = (name: string, ...paths: ReadonlyArray<string>) =>
  sh(name, `cd /workspace; stat -c '%U:%G %n' ${paths.join(" ")}`)
const others = (name: string) => sh(name, "find /workspace ! -user agent -o ! -group agent")

const asRoot = async (name: string, script: string) => {
  const args = ["workspace", "exec", name, "--user", "root", "--", "sh", "-ec", script]
  const { code, stderr, stdout } = await call(args)
  assert.strictEqual(code, 0, `${script}: ${stdout.toString()}${stderr}`)
  return stdout.toString().trim()
}

const changed = async (name: string) => {
  const { files } = await json<{ readonly files: ReadonlyArray<{ readonly path: string; readonly status: string }> }>(
    ["workspace", "diff", name]
  )
  return files.map(({ path, status }) => `${status} ${path}`)
}

/** Commands change, make and delete files as `agent`, and git works for `agent` and for root. */
const demandUsable = async (name: string) => {
  assert.strictEqual(await sh(name, "id -un; echo $HOME"), "agent\n/home/agent")
  assert.strictEqual(await others(name), "")
  await sh(name, "echo new >> src/edited; rm src/deleted; mkdir made; echo x > made/file; git status --short > /tmp/s")
  assert.strictEqual(await sh(name, "cat /tmp/s"), "D src/deleted\n M src/edited\n?? made/")
  assert.strictEqual(await asRoot(name, "cd /workspace && git status --short"), await sh(name, "cat /tmp/s"))
  assert.deepStrictEqual(await changed(name), ["added made/file", "deleted src/deleted", "modified src/edited"])
  await sh(name, "git checkout -q . && rm -r made")
  assert.deepStrictEqual(await changed(name), [])
}

describe("a workspace of the user agent", { concurrent: false }, () => {
  it("agent can change the seeded files, status shows the user, and root can do everything", async () => {
    await create(["--name", "w", "--seed-path", repo, "--workspace-user", "agent"])
    assert.strictEqual(await userOf("w"), "agent")
    const { stdout } = await call(["workspace", "status", "w"])
    assert.match(stdout.toString(), /^user\s+agent, who owns \/workspace$/m)
    await demandUsable("w")
    assert.strictEqual(await asRoot("w", "id -un; echo $HOME; cd /; ls -ld / | cut -d' ' -f3"), "root\n/root\nroot")
    await asRoot("w", "echo root > /workspace/roots; rm /workspace/README; apt-get --version > /dev/null")
    assert.strictEqual(await owners("w", "roots"), "root:root roots")
    // The directory is agent's: so is the right to remove what is in it.
    await sh("w", "rm roots; git checkout -q README")
    assert.deepStrictEqual(await changed("w"), [])
    const { code } = await call(["workspace", "exec", "w", "--user", "1000:1000", "--", "touch", "by-number"])
    assert.strictEqual(code, 0)
  })

  it("written, patched and pushed files belong to agent", async () => {
    await json(["workspace", "file", "write", "w", "deep/new/file", "--text", "written\n"])
    await json(["workspace", "file", "edit", "w", "src/edited", "--old-text", "src", "--new-text", "SRC"])
    const patch = path.join(folder, "p.patch")
    fs.writeFileSync(
      patch,
      "diff --git a/patched/file b/patched/file\nnew file mode 100755\n--- /dev/null\n+++ b/patched/file\n@@ -0,0 +1 @@\n+x\n" +
        "diff --git a/patched/link b/patched/link\nnew file mode 120000\n--- /dev/null\n+++ b/patched/link\n@@ -0,0 +1 @@\n" +
        "+file\n\\ No newline at end of file\n"
    )
    await json(["workspace", "patch", "apply", "w", "--patch-file", patch])
    fs.mkdirSync(path.join(repo, "pushed", "deep"), { recursive: true })
    fs.writeFileSync(path.join(repo, "pushed", "deep", "file"), "pushed\n")
    fs.writeFileSync(path.join(repo, "README"), "changed at home\n")
    await json(["workspace", "sync", "push", "w", repo])
    assert.strictEqual(await others("w"), "")
    await sh("w", "echo more | tee -a deep/new/file src/edited patched/file pushed/deep/file README > /dev/null")
    assert.include(await changed("w"), "modified pushed/deep/file")
    const out = path.join(folder, "out")
    await json(["workspace", "export", "w", "deep", "--output", out])
    assert.strictEqual(fs.readFileSync(path.join(out, "new", "file"), "utf8"), "written\nmore\n")
    assert.strictEqual(fs.statSync(path.join(out, "new", "file")).uid, process.getuid!())
    const whole = path.join(folder, "whole.patch")
    await json(["workspace", "export", "w", "--patch", "--output", whole])
    execFileSync("git", ["-C", repo, "apply", "--check", whole])
  })

  it("files stay agent's in forks, snapshots, after a reset and after a lost VM", async () => {
    await snapshot("w", "before")
    await fork("w", "--name", "child")
    assert.strictEqual(await userOf("child"), "agent")
    assert.strictEqual(await others("child"), "")
    await sh("child", "echo child > deep/new/file")
    const { files } = await json<{ readonly files: ReadonlyArray<{ readonly path: string }> }>(
      ["workspace", "compare", "w", "child"]
    )
    assert.deepStrictEqual(files.map(({ path }) => path), ["deep/new/file"])

    await sh("w", "rm -r deep")
    await json(["workspace", "reset", "w", "--snapshot", "before"])
    assert.strictEqual(await userOf("w"), "agent")
    assert.strictEqual(await sh("w", "id -un; cat deep/new/file"), "agent\nwritten\nmore")
    assert.strictEqual(await others("w"), "")

    await step("reset", "w")
    assert.strictEqual(
      await sh("w", "cat README pushed/deep/file; ls"),
      [
        "changed at home",
        "pushed",
        "README\nlink\npushed\nsrc"
      ].join("\n")
    )
    assert.strictEqual(await others("w"), "")
    await sh("w", "echo mine > pushed/deep/file; touch new")
    assert.deepStrictEqual(await changed("w"), ["added new", "modified pushed/deep/file"])

    await step("stop", "w")
    assert.deepStrictEqual(await changed("w"), ["added new", "modified pushed/deep/file"])
    await step("start", "w")
    assert.strictEqual(await sh("w", "id -un; cat pushed/deep/file"), "agent\nmine")
    await json(["daemon", "stop"])
    assert.strictEqual(await userOf("w"), "agent")
    assert.strictEqual(await sh("w", "id -un"), "agent")
    await sh("w", "sync")
    process.kill(await vmmOf(pyro, (await status("w")).id), "SIGKILL")
    await until("the loss is known", async () => (await status("w")).state === "failed")
    await step("start", "w")
    assert.strictEqual(await userOf("w"), "agent")
    assert.strictEqual(await sh("w", "id -un; cat pushed/deep/file; touch more"), "agent\nmine")
    assert.strictEqual(await others("w"), "")
  })

  it("an empty workspace, a git URL and an archive can belong to agent", async () => {
    await create(["--name", "empty", "--workspace-user", "agent"])
    assert.strictEqual(await sh("empty", "echo x > file; stat -c %U . file"), "agent\nagent")
    await step("reset", "empty")
    assert.strictEqual(await sh("empty", "ls -A; touch again; stat -c %U . again"), "agent\nagent")

    await create(["--name", "url", "--repo-url", repo, "--workspace-user", "agent"])
    await demandUsable("url")

    const archive = path.join(folder, "a.tar")
    execFileSync("tar", ["cf", archive, "--owner=12345", "--group=54321", "-C", repo, "src"])
    await create(["--name", "tar", "--seed-path", archive, "--workspace-user", "agent"])
    assert.strictEqual(await others("tar"), "")
    await sh("tar", "rm -r src")
  })

  it("another workspace with the same files stays root's", async () => {
    await create(["--name", "roots", "--seed-path", repo])
    assert.strictEqual(await userOf("roots"), "root")
    assert.strictEqual(await sh("roots", "id -un; find . ! -user root"), "root")
    const { code } = await call(["workspace", "exec", "roots", "--user", "agent", "--", "touch", "README"])
    assert.notStrictEqual(code, 0)
    const asAgent = ["workspace", "exec", "roots", "--user", "agent", "--", "git", "status", "--short"]
    assert.strictEqual((await call(asAgent)).code, 0, "git trusts the directory of another user")
  })
})

describe("pyro run --workspace-user agent", () => {
  it("run --workspace-user agent runs the command as agent in agent's files", async () => {
    const run = (...args: ReadonlyArray<string>) => call(["run", "--workspace-user", "agent", ...args])
    const script = "id -un; touch README new && stat -c %U README new"
    const seeded = await run("--seed-path", repo, "--script", script)
    assert.deepStrictEqual([seeded.code, seeded.stdout.toString()], [0, "agent\nagent\nagent\n"], seeded.stderr)
    const empty = await run("--script", "touch new && stat -c %U . new")
    assert.deepStrictEqual([empty.code, empty.stdout.toString()], [0, "agent\nagent\n"], empty.stderr)
    const asRoot = await run("--user", "root", "--script", "id -un; stat -c %U .")
    assert.deepStrictEqual([asRoot.code, asRoot.stdout.toString()], [0, "root\nagent\n"], asRoot.stderr)
  })
})

describe("the limits of a guest", () => {
  it("root and the user agent have the limits of a developer's machine", async () => {
    await create(["--name", "limits", "--workspace-user", "agent"])
    const keys = ["fs.inotify.max_user_instances", "vm.max_map_count", "kernel.pid_max", "fs.inotify.max_user_watches"]
    const [instances, maps, pids, watches = 0] = (await sh("limits", `/usr/sbin/sysctl -n ${keys.join(" ")}`))
      .split("\n").map(Number)
    assert.deepStrictEqual([instances, maps, pids], [1_024, 1_048_576, 4_194_304])
    assert.isAtLeast(watches, 65_536)
    for (const user of ["agent", "root"]) {
      const { stdout } = await call([
        "workspace",
        "exec",
        "limits",
        "--user",
        user,
        "--",
        "sh",
        "-c",
        "ulimit -n; ulimit -l"
      ])
      const [files = 0, lockedKib = 0] = stdout.toString().trim().split("\n").map(Number)
      assert.strictEqual(files, 65_536, user)
      assert.isAtLeast(lockedKib, 16 * 1_024, user)
    }
  })
})
