import { Effect, ManagedRuntime } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer as inThisProcess } from "../../src/daemon/layer.ts"
import { layer as behindItsDaemon } from "../../src/sdk/installed.ts"
import { pyro } from "../../src/sdk/model/effects.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { installation } from "../support/installation.ts"

const root = path.resolve(import.meta.dirname, "../..")

const PATCH = `--- a/greet.sh
+++ b/greet.sh
@@ -1,3 +1,3 @@
 #!/bin/sh
 # Greets somebody by name.
-echo "Hello, $1!"
+echo "Hello, \${1:-you}!"
`

/** The calls of the story, as promises, by either of the two APIs. */
type Calls = Pick<PyroPromises, "workspace" | "close">

/** The Effect API, each call run by itself. */
const effectCalls = (layer: typeof inThisProcess): Calls => {
  const runtime = ManagedRuntime.make(layer)
  const promised = (calls: object): unknown =>
    Object.fromEntries(
      Object.entries(calls).map(([name, call]: [string, object]) => {
        if (typeof call !== "function") return [name, promised(call)]
        const whole = ((call as { readonly collect?: unknown }).collect ?? call) as (
          options: object
        ) => Effect.Effect<never>
        const run = (options: object) =>
          runtime.runPromise(Effect.result(whole(options))).then((result) => {
            if (result._tag === "Failure") throw result.failure
            return result.success
          })
        return [name, Object.assign(run, promised(call))]
      })
    )
  return { workspace: promised(pyro.workspace) as Calls["workspace"], close: () => runtime.dispose() }
}

const apis = {
  "Effects, all in this process": () => effectCalls(inThisProcess),
  "Effects, through the daemon": () => effectCalls(behindItsDaemon),
  "promises, through the daemon": () => makePromises(behindItsDaemon)
}

describe.each(Object.entries(apis))("docs/first-run.md by a program: %s", (_, open) => {
  const own = installation("pyro-sdk-")
  const before = process.env["PYRO_STATE_DIR"]
  beforeAll(() => {
    process.env["PYRO_STATE_DIR"] = own.state
  })
  afterAll(async () => {
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    await own.close()
  })

  it("a program performs docs/first-run.md with the results that the page shows", async () => {
    const project = path.join(own.folder, "greeting")
    fs.cpSync(path.join(root, "examples/greeting"), project, { recursive: true })
    const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: project, encoding: "utf8" })
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=you", "-c", "user.email=you@example.org", "commit", "-q", "-m", "Start")

    const { close, workspace: fix } = open()
    const workspace = "fix"
    const exec = (script: string) => fix.exec({ workspace, script })

    const created = await fix.create({ name: workspace, seedPath: project })
    assert.deepInclude(created.workspace, { name: workspace, state: "running" })
    assert.match((await exec("git status --short --branch")).stdout, /^## \S+\n$/)
    assert.deepInclude(await exec("sh test.sh"), {
      outcome: "exited",
      status: 1,
      stdout: "FAIL a name: expected \"Hello, Ada!\", got \"Hello, Ada\"\n"
    })

    await fix.file.edit({ workspace, path: "greet.sh", oldText: "echo \"Hello, $1\"", newText: "echo \"Hello, $1!\"" })
    assert.match((await exec("sh test.sh")).stdout, /^ok a name\nFAIL no name/)
    assert.deepInclude(await fix.patch.apply({ workspace, patch: PATCH }), { applied: true })
    assert.strictEqual((await exec("sh test.sh")).stdout, "ok a name\nok no name\n")

    const { digest, patch } = await fix.diff({ workspace })
    assert.include(patch, "-echo \"Hello, $1\"\n+echo \"Hello, ${1:-you}!\"\n")

    await exec("rm -rf /usr /workspace")
    const failure = await fix.exec({ workspace, command: ["ls"] }).then(
      () => assert.fail("there is no ls"),
      (error) => error
    )
    assert.deepInclude(failure, { _tag: "CommandNotFound", code: "command_not_found" })
    await fix.reset({ workspace })
    assert.strictEqual((await exec("git status --short")).stdout, "")
    await fix.patch.apply({ workspace, patch })
    assert.strictEqual((await exec("sh test.sh")).status, 0)
    const { text } = await fix.summary({ workspace })
    assert.include(text, "Commands: 2, 2 succeeded.\n")
    assert.include(text, "Changed files: 1, +1 -1.\n  modified greet.sh\n")

    const output = path.join(project, "greeting.patch")
    await fix.export({ workspace, patch: true, expect: digest, output })
    git("apply", "greeting.patch")
    assert.deepInclude(spawnSync("sh", ["test.sh"], { cwd: project, encoding: "utf8" }), {
      status: 0,
      stdout: "ok a name\nok no name\n"
    })
    assert.strictEqual(git("status", "--short"), " M greet.sh\n?? greeting.patch\n")

    await fix.delete({ workspaces: [workspace] })
    assert.deepStrictEqual((await fix.list()).workspaces, [])
    await close()
  })
})
