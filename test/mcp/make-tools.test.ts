import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { bindProject, makeTools } from "../../src/mcp/server.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"

const project = Result.getOrThrow(bindProject({ projectPath: import.meta.dirname }, {}))
const pyro = {
  ...unfakedPyro,
  workspace: { ...unfakedPyro.workspace, delete: () => Effect.succeed({ deleted: ["ws-0123456789"], names: ["fix"] }) }
}
const { call, list } = makeTools({ profile: "workspace-core", project, pyro: Effect.succeed(pyro) })

const failed = (name: string, args: Readonly<Record<string, unknown>>) =>
  Effect.map(call(name, args), ({ content: [{ text }], isError, structuredContent }) => {
    assert.isTrue(isError)
    assert.isUndefined(structuredContent)
    return text
  })

describe("the tools without the protocol", () => {
  it("makeTools lists the tools of its profile", () => {
    assert.strictEqual(list.length, 16)
    assert.strictEqual(list[0]?.name, "workspace_create")
    assert.deepStrictEqual(
      makeTools({ profile: "vm-run", project, pyro: Effect.succeed(pyro) }).list.map(({ name }) => name),
      ["vm_run"]
    )
  })

  it.effect("makeTools answers with text and structured content", () =>
    Effect.gen(function*() {
      const { content, isError, structuredContent } = yield* call("workspace_delete", { workspace_ids: ["fix"] })
      assert.isUndefined(isError)
      assert.deepStrictEqual(content, [{ type: "text", text: "deleted ws-0123456789" }])
      assert.deepInclude(structuredContent, { deleted: ["ws-0123456789"] })
    }))

  it.effect("makeTools reports errors, also an unknown tool", () =>
    Effect.gen(function*() {
      assert.match(yield* failed("workspace_frobnicate", {}), /^invalid_request: .*no tool.*workspace_create, /)
      assert.match(
        yield* failed("vm_run", {}),
        /^invalid_request: vm_run is a tool of the profile vm-run and of workspace-full, and this server has/
      )
      assert.match(yield* failed("workspace_status", {}), /workspace_id.*missing/)
      assert.match(yield* failed("workspace_create", { seed_path: "/etc" }), /outside of the project/)
    }))
})
