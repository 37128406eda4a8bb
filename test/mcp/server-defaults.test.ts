import { Effect, Redacted, Result, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { Secrets } from "../../src/contract/rows/secret-fields.ts"
import { instructionsOf } from "../../src/mcp/instructions.ts"
import { profileTools } from "../../src/mcp/tool-table.ts"
import { bindProject, type Project } from "../../src/sdk/project.ts"
import { call, emptyProject, fakePyro, textOf } from "./fakes.ts"
import { info } from "./results.ts"

const project: Project = {
  ...emptyProject,
  path: "/p",
  includeIgnored: ["node_modules", "dist"],
  environment: "debian:12-build",
  source: (_, named) => Result.succeed(named === "." ? "/p" : `/p/${named}`)
}

/** What an operation is asked with when a model calls a tool. */
const asked = async (tool: string, args: Readonly<Record<string, unknown>>, bound = project) => {
  const payloads: Array<Readonly<Record<string, unknown>>> = []
  const pyro = {
    ...fakePyro({
      create: (payload) => {
        payloads.push(payload)
        return Stream.make({ _tag: "Ready" as const, workspace: info })
      },
      sync: {
        push: (payload) => {
          payloads.push(payload)
          return Effect.die("enough")
        }
      }
    }),
    run: (payload: object) => {
      payloads.push(payload as never)
      return Stream.die("enough")
    }
  }
  const result = await call(pyro, tool, args, { project: bound })
  assert.isNotEmpty(payloads, textOf(result))
  return payloads[0]!
}

describe("a server that was started with defaults for its workspaces", () => {
  it("the server applies its defaults to every workspace and push of its project", async () => {
    const seeded = { seedPath: "/p", includeIgnored: ["node_modules", "dist"], environment: "debian:12-build" }
    assert.deepInclude(await asked("workspace_create", {}), seeded)
    assert.deepInclude(await asked("workspace_create", { environment: null, seed_path: "." }), seeded)
    assert.deepInclude(await asked("vm_run", { command: "ls", seed_path: "." }), seeded)
    const push = await asked("workspace_sync_push", { workspace_id: "a" })
    assert.deepInclude(push, { sourcePath: "/p", includeIgnored: ["node_modules", "dist"] })
  })

  it("the server's ignored globs apply to its own project only, and a model may name another environment", async () => {
    const other = await asked("workspace_create", { seed_path: "sub", environment: "debian:13" })
    assert.deepInclude(other, { seedPath: "/p/sub", includeIgnored: [], environment: "debian:13" })
    assert.deepInclude(await asked("workspace_create", { empty: true }), { includeIgnored: [] })
    const fromUrl = { ...project, repoUrl: "https://example.org/r" }
    assert.deepInclude(await asked("workspace_create", {}, fromUrl), { includeIgnored: [], repoUrl: fromUrl.repoUrl })
    assert.deepInclude(await asked("vm_run", { command: "ls" }), { includeIgnored: [], environment: "debian:12-build" })
  })

  it("--git sets the history of new workspaces, and a model may name another in workspace-full", async () => {
    const whole: Project = { ...project, git: "full" }
    assert.deepInclude(await asked("workspace_create", {}, whole), { git: "full" })
    assert.deepInclude(await asked("workspace_create", { git: "none" }, whole), { git: "none" })
    assert.deepInclude(await asked("workspace_create", {}), { git: "shallow" })
    assert.notProperty(await asked("vm_run", { command: "ls" }, whole), "git")
    for (const { listed } of profileTools("core")) assert.notProperty(listed.inputSchema.properties, "git", listed.name)
  })

  it("--workspace-user sets the owner of /workspace, and a model may name another in workspace-full", async () => {
    const agents: Project = { ...project, workspaceUser: "agent" }
    assert.deepInclude(await asked("workspace_create", {}, agents), { workspaceUser: "agent" })
    assert.deepInclude(await asked("workspace_create", { workspace_user: null }, agents), { workspaceUser: "agent" })
    assert.deepInclude(await asked("workspace_create", { workspace_user: "root" }, agents), { workspaceUser: "root" })
    assert.deepInclude(await asked("vm_run", { command: "ls" }, agents), { workspaceUser: "agent" })
    assert.deepInclude(await asked("workspace_create", {}), { workspaceUser: "root" })
    assert.notProperty(await asked("workspace_sync_push", { workspace_id: "a" }, agents), "workspaceUser")
    for (const { listed } of profileTools("core")) {
      assert.notProperty(listed.inputSchema.properties, "workspace_user", listed.name)
    }
  })

  it("the server passes its secrets to each workspace and command, and a model can name none", async () => {
    const keeper: Project = {
      ...project,
      secrets: { TOKEN: Redacted.make("correct-horse") },
      secretHttp: ["TOKEN@api.example.com"]
    }
    for (const [tool, args] of [["workspace_create", {}], ["vm_run", { command: "ls" }]] as const) {
      const { secretCommands, secretHttp, secrets } = await asked(tool, args, keeper)
      assert.deepStrictEqual([secretHttp, secretCommands], [keeper.secretHttp, []])
      const widened = await asked(tool, args, { ...keeper, secretCommands: ["TOKEN"] })
      assert.deepStrictEqual(widened["secretCommands"], ["TOKEN"])
      assert.strictEqual(Redacted.value((secrets as Secrets)["TOKEN"]!), "correct-horse")
      assert.notProperty(await asked(tool, args), "secrets")
    }
    for (const { listed } of profileTools("full")) {
      for (const name of ["secrets", "secret_http", "secret_commands", "clear_secrets", "clear_secret_http"]) {
        assert.notProperty(listed.inputSchema.properties, name, listed.name)
      }
    }
    const text = instructionsOf("workspace-core", {
      ...keeper,
      secrets: { ...keeper.secrets, KEY: keeper.secrets!["TOKEN"]! }
    })
    assert.include(
      text,
      "Secrets for secret_env: KEY. The variable TOKEN is a placeholder: HTTPS requests to api.example.com"
    )
    assert.notInclude(text, "correct-horse")
    assert.include(
      instructionsOf("workspace-core", { ...keeper, secretCommands: ["TOKEN"] }),
      "Secrets for secret_env: TOKEN. The variable TOKEN is a placeholder"
    )
  })

  it("a server with a host of a secret that it does not have is refused", () => {
    const refused = bindProject({ secretHttp: ["TOKEN@api.example.com"] }, {})
    assert.match(Result.getOrThrow(Result.flip(refused)).message, /there is no secret TOKEN/)
    const unknown = bindProject({ secretCommands: ["TOKEN"] }, {})
    assert.match(Result.getOrThrow(Result.flip(unknown)).message, /there is no secret TOKEN/)
  })

  it("a model may add ignored globs in workspace-full only", async () => {
    const named = await asked("workspace_create", { include_ignored: [".venv", "dist"] })
    assert.deepInclude(named, { includeIgnored: ["node_modules", "dist", ".venv"] })
    const push = await asked("workspace_sync_push", { workspace_id: "a", include_ignored: ".venv" }, {
      ...project,
      includeIgnored: []
    })
    assert.deepInclude(push, { includeIgnored: [".venv"] })
    for (const { listed } of profileTools("core").filter(({ row }) => row.name !== "workspace.diff")) {
      assert.notProperty(listed.inputSchema.properties, "include_ignored", listed.name)
    }
  })
})
