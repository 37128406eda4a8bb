import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { toldError } from "../support/told-error.ts"

interface Listed {
  readonly name: string
  readonly origin: string
  readonly state: string
  readonly digest?: string
  readonly from?: string
  readonly added_packages?: ReadonlyArray<string>
}

const base = "debian:12-base"
const TOOLS = ["figlet", "htop", "tree", "vim-tiny"]

/** A cache of the test's own, since it removes environments; what was downloaded is there already. */
const { folder, remove } = temporaryFolder("pyro-own-cache-")
const cache = path.join(folder, "cache")
let pyro: ReturnType<typeof installation>

beforeAll(() => {
  fs.mkdirSync(cache, { mode: 0o700 })
  for (const part of ["kernels", "packages"]) {
    const from = path.join(sharedCache, part)
    const skipped = path.join(from, "tmp")
    if (fs.existsSync(from)) {
      fs.cpSync(from, path.join(cache, part), {
        recursive: true,
        preserveTimestamps: true,
        filter: (file) => file !== skipped
      })
    }
  }
  pyro = installation("pyro-own-", { env: { PYRO_CACHE_DIR: cache } })
})

afterAll(async () => {
  await pyro.close()
  remove()
})

const build = (name: string, from: string, ...packages: ReadonlyArray<string>) =>
  pyro.call(["env", "build", name, "--from", from, "--packages", packages.join(",")])

const listed = async () =>
  (await pyro.json<{ readonly environments: ReadonlyArray<Listed> }>(["env", "list"])).environments

const own = async () => (await listed()).filter(({ origin }) => origin === "own")

const runIn = (environment: string, ...command: ReadonlyArray<string>) =>
  pyro.call(["run", environment, "--mem-mib", "256", "--", ...command])

/** What builds leave in the cache beside finished images. */
const leftovers = () => fs.readdirSync(path.join(cache, "environments", "tmp")).filter((entry) => entry !== ".lock")

describe("an environment of one's own", { concurrent: false }, () => {
  it("an own environment has its base and its packages, and two names of equal content share one build", async () => {
    const [one, other] = await Promise.all([
      build("tools", base, ...TOOLS.toReversed()),
      build("toys:1", base, TOOLS.join())
    ])
    assert.deepStrictEqual([one.code, other.code], [0, 0], one.stderr + other.stderr)
    const builders = [one, other].filter(({ stderr }) => stderr.includes("unpacking the base system"))
    assert.lengthOf(builders, 1)
    const [tools, toys] = await own()
    assert.strictEqual(tools?.digest, toys?.digest)
    assert.deepStrictEqual([tools?.name, tools?.state, tools?.from, tools?.added_packages], [
      "tools",
      "ready",
      base,
      TOOLS
    ])
    const ran = await runIn("toys:1", "sh", "-c", "figlet -f term hi && tree --version")
    assert.match(ran.stdout.toString(), /^hi\ntree v/, ran.stderr)
    const { packages } = await pyro.json<{ readonly packages: ReadonlyArray<{ readonly name: string }> }>([
      "env",
      "inspect",
      "tools"
    ])
    assert.includeMembers(packages.map(({ name }) => name), ["figlet", "tree", "sudo"])
    assert.deepStrictEqual(leftovers(), [])
  })

  it("building an own environment again changes nothing, and another definition of its name is refused", async () => {
    const again = await build("tools", base, ...TOOLS)
    assert.strictEqual(again.code, 0, again.stderr)
    assert.notInclude(again.stderr, "unpacking the base system")
    const error = await pyro.failure(["env", "build", "tools", "--from", base, "--packages", "figlet"])
    assert.deepInclude(error, { code: "environment_name_taken", name: "tools" })
  })

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

  it("a build with an unknown package shows apt's message and leaves nothing", async () => {
    const error = await pyro.failure(["env", "build", "odd", "--from", "tools", "--packages", "no-such-package"])
    assert.strictEqual(error.code, "environment_build_failed")
    assert.include(error.message, "Unable to locate package no-such-package")
    assert.deepStrictEqual((await own()).map(({ name }) => name), ["tools", "toys:1"])
    assert.deepStrictEqual(leftovers(), [])
    assert.strictEqual((await pyro.failure(["run", "odd", "--", "true"])).code, "environment_unknown")
  })

  it("a build from an unknown environment is refused", async () => {
    const error = await pyro.failure(["env", "build", "odd", "--from", "debian:3", "--packages", "tree"])
    assert.strictEqual(error.code, "environment_unknown")
    assert.include(error["known"] as ReadonlyArray<string>, "toys:1")
  })

  it("a build from a workspace has its root without the workspace's and the VM's own files", async () => {
    await pyro.json(["workspace", "create", "tools", "--name", "source", ...smallSizes])
    await pyro.sh(
      "source",
      `printf '#!/bin/sh\\necho mine\\n' >/usr/local/bin/mine; chmod 4755 /usr/local/bin/mine; rm /usr/bin/tree
       chown agent /usr/local/src; mknod /usr/local/device c 1 3; ln -s /etc/passwd /usr/local/link; rm /etc/motd
       ln -s / /usr/local/everything; echo secret >/tmp/secret; echo secret >/workspace/secret; rm -rf /usr/lib/modules
       userdel agent; useradd --uid 1000 --create-home other`
    )
    const error = await pyro.failure(["env", "build", "toys:1", "--from-workspace", "source"])
    assert.strictEqual(error.code, "environment_name_taken")
    const made = await pyro.call(["env", "build", "fixed", "--from-workspace", "source"])
    assert.strictEqual(made.code, 0, made.stderr)
    await pyro.json(["workspace", "delete", "source"])
    const ran = await runIn(
      "fixed",
      "sh",
      "-c",
      `mine; cd /usr/local; stat -c '%a %U' bin/mine src; ls -d device; readlink link everything; ls -A /tmp /workspace
       test -e /usr/bin/tree || echo gone; stat -c '%a %G' /etc/shadow; ls /lib/modules | wc -l; figlet -f term x; hostname`
    )
    assert.deepStrictEqual(ran.stdout.toString().split("\n").slice(0, 9), [
      "mine",
      "4755 root",
      "755 other",
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

  it("packages replace what was built from a workspace", async () => {
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

  it("an own environment is built from an environment or a running workspace only", async () => {
    const codes = await Promise.all([
      pyro.failure(["env", "build", "odd"]),
      pyro.failure(["env", "build", "odd", "--from", "tools", "--from-workspace", "nobody"]),
      pyro.failure(["env", "build", "odd", "--from-workspace", "nobody"])
    ])
    assert.deepStrictEqual(codes.map(({ code }) => code), ["invalid_request", "invalid_request", "workspace_not_found"])
  })

  it("an own environment whose image is lost is built again when used", { timeout: 600_000 }, async () => {
    fs.rmSync(path.join(cache, "environments"), { recursive: true })
    assert.deepStrictEqual((await own()).map(({ name, state }) => [name, state]), [
      ["tools", "absent"],
      ["toys:1", "absent"]
    ])
    assert.match((await runIn("tools", "tree", "--version")).stdout.toString(), /^tree v/)
  })

  it("removing an own environment keeps it for workspaces that started from it", async () => {
    await pyro.json(["workspace", "create", "tools", "--name", "kept", ...smallSizes])
    const first = await pyro.json<{ readonly removed: ReadonlyArray<string> }>(["env", "rm", "tools"])
    assert.deepStrictEqual(first.removed, ["tools"])
    assert.strictEqual((await runIn("toys:1", "tree", "--version")).code, 0)
    const { removed } = await pyro.json<{ readonly removed: ReadonlyArray<string> }>(["env", "rm", "toys:1"])
    const templates = removed.filter((what) => what.startsWith("template "))
    assert.isAbove(templates.length, 0, removed.join())
    assert.lengthOf(removed, 2 + templates.length)
    assert.deepStrictEqual(await own(), [])
    await pyro.step("stop", "kept")
    await pyro.step("start", "kept")
    assert.include(await pyro.sh("kept", "tree --version"), "tree v")
    await pyro.step("reset", "kept")
    assert.include(await pyro.sh("kept", "figlet -f term again"), "again")
    assert.strictEqual((await pyro.failure(["workspace", "create", "tools"])).code, "environment_unknown")
  })
})
