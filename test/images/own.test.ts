import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { base, type Listed, ownEnvironments, TOOLS } from "../support/images/own-environments.ts"
import { smallSizes } from "../support/installation.ts"

const { build, cache, close, own, pyro, runIn } = ownEnvironments("pyro-owned-")

beforeAll(async () => {
  for (const name of ["tools", "toys:1"]) {
    const { code, stderr } = await build(name, base, ...TOOLS)
    assert.strictEqual(code, 0, stderr)
  }
})

afterAll(close)

const isTemplate = (what: string) => what.startsWith("template ")

/** Keys of the templates of an image. */
const templatesOf = (digest: string) =>
  fs.readdirSync(path.join(cache, "templates")).filter((key) => {
    const manifest = path.join(cache, "templates", key, "manifest.json")
    return fs.existsSync(manifest) && fs.readFileSync(manifest, "utf8").includes(digest)
  })

describe("an environment of one's own, beyond the common case", { concurrent: false }, () => {
  it("vim and htop show their screens in a shell, take keys, and go on in a fork", async () => {
    interface Screen {
      readonly shell_id: string
      readonly outcome: string
      readonly output: string
      readonly waited?: string
      readonly alternate?: boolean
    }
    await pyro.json(["workspace", "create", "tools", "--name", "editor", ...smallSizes])
    const inShell = (workspace: string, verb: string, ...args: ReadonlyArray<string>) =>
      pyro.json<Screen>(["workspace", "shell", verb, workspace, ...args])
    const screen = async (workspace: string, id: string, wanted: string, ...keys: ReadonlyArray<string>) => {
      if (keys.length > 0) await inShell(workspace, "write", id, ...keys)
      const found = await inShell(workspace, "read", id, "--plain", "--wait-for", wanted)
      assert.strictEqual(found.waited, "found", found.output)
      return found
    }
    const size = ["--cols", "60", "--rows", "12", "--env", "LANG=C.UTF-8"]
    // Without answers to these questions, vim on a loaded host waits for a key before it paints. The shell answers none.
    const noQuestions = ["--cmd", "set t_u7= t_RV= t_RB= t_RF="]
    const { shell_id: vim } = await inShell("editor", "open", ...size, "--", "vim.tiny", "-n", ...noQuestions, "notes")
    // vim names the file before it paints the lines above.
    const first = await screen("editor", vim, "~\n\"notes\" [New]")
    assert.isTrue(first.alternate)
    assert.match(first.output, /^\n(~\n){10}"notes" \[New\]/)
    await screen("editor", vim, "three", "--input", "ione\n漢字 two\nthree", "--key", "up", "--key", "end")
    await screen("editor", vim, "漢字 two!\nthree\n~", "--input", "!", "--key", "escape")
    // vim waits a moment for what may follow an escape. The ruler shows when it is done.
    await screen("editor", vim, "2,11-9 ")

    await pyro.json(["workspace", "fork", "editor", "--name", "copy"])
    const same = await inShell("copy", "read", vim, "--plain")
    assert.deepStrictEqual([same.alternate, same.output], [
      true,
      (await inShell("editor", "read", vim, "--plain")).output
    ])
    await screen("copy", vim, "\nforked\nthree", "--input", "ccforked", "--key", "escape")
    await screen("copy", vim, "2,6 ")
    await screen("editor", vim, "one\nthree\n~", "--input", "dd", "--no-newline")
    for (const workspace of ["copy", "editor"]) {
      await inShell(workspace, "write", vim, "--input", ":wq\n")
      const { outcome } = await inShell(workspace, "read", vim, "--plain", "--wait-for", "never printed")
      assert.strictEqual(outcome, "exited")
    }
    assert.strictEqual(await pyro.sh("copy", "cat notes"), "one\nforked\nthree")
    assert.strictEqual(await pyro.sh("editor", "cat notes"), "one\nthree")
    await pyro.json(["workspace", "delete", "copy"])

    const { shell_id: htop } = await inShell("editor", "open", "--cols", "100", "--", "htop")
    const processes = await screen("editor", htop, "F10Quit")
    assert.match(processes.output, /Tasks: [^]*Load average: [^]*PID[^]*Command[^]*htop/)
    await screen("editor", htop, "Search:", "--key", "f3")
    await inShell("editor", "write", htop, "--key", "escape", "--key", "f10")
    const ended = await inShell("editor", "read", htop, "--plain", "--wait-for", "never printed")
    assert.deepStrictEqual([ended.waited, ended.outcome], ["ended", "exited"])
    await pyro.json(["workspace", "delete", "editor"])
  })

  it("a commit of a workspace has its root without the workspace's and the VM's own files", async () => {
    await pyro.json(["workspace", "create", "tools", "--name", "source", ...smallSizes])
    await pyro.sh(
      "source",
      `printf '#!/bin/sh\\necho mine\\n' >/usr/local/bin/mine; chmod 4755 /usr/local/bin/mine; rm /usr/bin/tree
       chown agent /usr/local/src; mknod /usr/local/device c 1 3; ln -s /etc/passwd /usr/local/link; rm /etc/motd
       ln -s / /usr/local/everything; echo secret >/tmp/secret; echo secret >/workspace/secret; rm -rf /usr/lib/modules
       userdel agent; useradd --uid 1000 --create-home other`
    )
    const error = await pyro.failure(["commit", "source", "toys:1"])
    assert.strictEqual(error.code, "environment_name_taken")
    const made = await pyro.call(["commit", "source", "fixed"])
    assert.strictEqual(made.code, 0, made.stderr)
    await pyro.json(["workspace", "delete", "source"])
    const ran = await runIn(
      "fixed",
      "sh",
      "-c",
      `mine; cd /usr/local; stat -c '%a %U' bin/mine src; ls -d device; readlink link everything; ls -A /tmp /workspace
       test -e /usr/bin/tree || echo gone; stat -c '%a %G' /etc/shadow; ls /lib/modules | wc -l; figlet -f term x; hostname`
    )
    assert.deepStrictEqual(ran.stdout.toString().split("\n").slice(0, 10), [
      "mine",
      "4755 root",
      "755 other",
      "device",
      "/etc/passwd",
      "/",
      "/tmp:",
      "",
      "/workspace:",
      "gone"
    ])
    assert.match(ran.stdout.toString(), /^gone\n640 shadow\n1\nx\n/m)
    const fixed = (await own()).find(({ name }) => name === "fixed")
    assert.deepStrictEqual([fixed?.state, fixed?.from, fixed?.added_packages], ["ready", "tools", undefined])
    // It is the state's: the cache may go.
    assert.isTrue(fs.existsSync(path.join(pyro.state, "environments", "images", fixed!.digest!)))
  })

  it("an environment without the user agent is refused with the next step", async () => {
    const refused = await pyro.failure(["workspace", "create", "fixed", "--name", "no", "--workspace-user", "agent"])
    assert.deepInclude(refused, { code: "invalid_request", field: "--workspace-user" })
    assert.match(refused.message, /has no user "agent"; choose/)
    assert.strictEqual((await pyro.failure(["workspace", "status", "no"])).code, "workspace_not_found")
    const { code, stdout } = await pyro.call(["run", "fixed", "--workspace-user", "agent", "--json", "--", "true"])
    assert.strictEqual(code, 2)
    assert.deepInclude(toldError({ stdout }), { code: "invalid_request", field: "--workspace-user" })
    assert.strictEqual((await runIn("fixed", "id", "other")).code, 0)
  })

  it("packages replace a commit of a workspace", async () => {
    const fixed = (await own()).find(({ name }) => name === "fixed")
    // What replaces it is made of packages, as another one is already.
    const packages = ["--packages", ...TOOLS, "--replace"]
    const replaced = await pyro.json<Listed>(["env", "build", "fixed", "--from", base, ...packages])
    assert.deepStrictEqual(replaced.digest, (await own()).find(({ name }) => name === "tools")?.digest)
    assert.isFalse(fs.existsSync(path.join(pyro.state, "environments", "images", fixed!.digest!)))
    assert.deepStrictEqual(
      fs.readdirSync(path.join(pyro.state, "environments", "images", "tmp")).filter((entry) => entry !== ".lock"),
      []
    )
    await pyro.json(["env", "rm", "fixed"])
  })

  it("an own environment whose image is lost is built again when used", { timeout: 600_000 }, async () => {
    const digestOfTools = async () => (await own()).find(({ name }) => name === "tools")?.digest
    const before = await digestOfTools()
    fs.rmSync(path.join(cache, "environments"), { recursive: true })
    assert.deepStrictEqual((await own()).map(({ name, state }) => [name, state]), [
      ["tools", "absent"],
      ["toys:1", "absent"]
    ])
    assert.match((await runIn("tools", "tree", "--version")).stdout.toString(), /^tree v/)
    assert.strictEqual(await digestOfTools(), before, "the same packages give the same image")
  })

  it("removing an own environment keeps it for workspaces that started from it", async () => {
    await pyro.json(["workspace", "create", "tools", "--name", "kept", ...smallSizes])
    const digest = (await own()).find(({ name }) => name === "tools")!.digest!
    const templates = templatesOf(digest)
    assert.isNotEmpty(templates)
    const first = await pyro.json<{ readonly removed: ReadonlyArray<string> }>(["env", "rm", "tools"])
    // The templates of the builder, whose image was lost above, may go. Those of the image that toys:1 has stay.
    assert.deepStrictEqual(first.removed.filter((what) => !isTemplate(what)), ["tools"])
    assert.includeMembers(templatesOf(digest), templates)
    assert.strictEqual((await runIn("toys:1", "tree", "--version")).code, 0)
    const { kept_by: keptBy, removed } = await pyro.json<{
      readonly removed: ReadonlyArray<string>
      readonly kept_by?: ReadonlyArray<string>
    }>(["env", "rm", "toys:1"])
    assert.deepStrictEqual(keptBy, ["kept"])
    assert.includeMembers([...removed], templates.map((key) => `template ${key}`))
    assert.lengthOf(removed.filter((what) => !isTemplate(what)), 2, removed.join())
    assert.deepStrictEqual(templatesOf(digest), [])
    assert.deepStrictEqual(await own(), [])
    await pyro.step("stop", "kept")
    await pyro.step("start", "kept")
    assert.include(await pyro.sh("kept", "tree --version"), "tree v")
    await pyro.step("reset", "kept")
    assert.include(await pyro.sh("kept", "figlet -f term again"), "again")
    assert.strictEqual((await pyro.failure(["workspace", "create", "tools"])).code, "environment_unknown")
  })
})
