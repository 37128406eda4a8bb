import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { failed, resultText, stockClients, succeeded } from "../support/mcp/mcp-clients.ts"

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..")

interface Exec {
  readonly state: string
  readonly exit_code: number | null
  readonly stdout: string
  readonly stderr: string
}

const PATCH = `--- a/greet.sh
+++ b/greet.sh
@@ -1,3 +1,3 @@
 #!/bin/sh
 # Greets somebody by name.
-echo "Hello, $1!"
+echo "Hello, \${1:-you}!"
`

describe.each(Object.entries(stockClients))("docs/first-run.md by a client of %s", (_, connect) => {
  const { close, env, folder } = installation("pyro-mcp-")
  afterAll(close)

  it("an MCP client performs docs/first-run.md with the results that the page shows", async () => {
    const project = path.join(folder, "greeting")
    fs.cpSync(path.join(root, "examples/greeting"), project, { recursive: true })
    const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: project, encoding: "utf8" })
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=you", "-c", "user.email=you@example.org", "commit", "-q", "-m", "Start")

    const client = await connect({ cwd: project, env })
    assert.lengthOf(client.tools, 16)
    assert.include(client.instructions, fs.realpathSync(project))
    const created = succeeded<{ readonly workspace: { readonly id: string; readonly seed_path: string } }>(
      await client.call("workspace_create", { name: "fix" })
    )
    assert.strictEqual(created.workspace.seed_path, fs.realpathSync(project))
    const tool = async <A>(name: string, args: object) =>
      succeeded<A>(await client.call(name, { workspace_id: created.workspace.id, ...args }))
    const exec = (command: string) => tool<Exec>("workspace_exec", { command })

    const status = await exec("git status --short --branch")
    assert.match(status.stdout, /^## \S+\n$/)
    const before = await client.call("workspace_exec", { workspace_id: "fix", command: "sh test.sh" })
    assert.match(resultText(before), /^exit 1 in .*\nFAIL a name: expected "Hello, Ada!", got "Hello, Ada"\n$/)
    assert.strictEqual(succeeded<Exec>(before).exit_code, 1)

    await tool("workspace_file_edit", {
      path: "greet.sh",
      old_text: "echo \"Hello, $1\"",
      new_text: "echo \"Hello, $1!\""
    })
    assert.match((await exec("sh test.sh")).stdout, /^ok a name\nFAIL no name/)
    const applied = await tool<{ readonly applied: boolean; readonly files_changed: number }>("workspace_patch_apply", {
      patch: PATCH
    })
    assert.deepInclude(applied, { applied: true, files_changed: 1 })
    assert.strictEqual((await exec("sh test.sh")).stdout, "ok a name\nok no name\n")

    const diff = await tool<{ readonly patch: string; readonly digest: string; readonly files_changed: number }>(
      "workspace_diff",
      {}
    )
    assert.strictEqual(diff.files_changed, 1)
    assert.include(diff.patch, "-echo \"Hello, $1\"\n+echo \"Hello, ${1:-you}!\"\n")

    // The guest's own tools go, and with them the shell that runs the next command.
    await exec("rm -rf /usr /workspace")
    assert.match(
      failed(await client.call("workspace_exec", { workspace_id: "fix", command: "ls" })),
      /^command_not_found: [^]*\nhint: .*workspace_reset/
    )
    await tool("workspace_reset", {})
    assert.strictEqual((await exec("git status --short")).stdout, "")
    await tool("workspace_patch_apply", { patch: diff.patch })
    assert.strictEqual((await exec("sh test.sh")).exit_code, 0)
    const summary = await tool<{ readonly text: string }>("workspace_summary", {})
    assert.include(summary.text, "Commands: 2, 2 succeeded.\n")
    assert.include(summary.text, "Changed files: 1, +1 -1.\n  modified greet.sh\n")

    const exported = await tool<{ readonly output: string }>("workspace_export", {
      patch: true,
      expect: diff.digest,
      output_path: "greeting.patch"
    })
    assert.strictEqual(exported.output, path.join(fs.realpathSync(project), "greeting.patch"))
    git("apply", "greeting.patch")
    const tested = spawnSync("sh", ["test.sh"], { cwd: project, encoding: "utf8" })
    assert.deepInclude(tested, { status: 0, stdout: "ok a name\nok no name\n" })
    assert.strictEqual(git("status", "--short"), " M greet.sh\n?? greeting.patch\n")

    succeeded(await client.call("workspace_delete", { workspace_ids: ["fix"] }))
    assert.deepStrictEqual(succeeded(await client.call("workspace_list", {}))["workspaces"], [])
    await client.close()
  })
})
