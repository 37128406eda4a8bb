import type { Server } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { WorkspaceNotFound } from "../../../src/contract/errors.ts"
import { addResources } from "../../../src/mcp/resources.ts"
import { fakePyro } from "../../mcp/fakes.ts"

type Handler = (request: unknown, context: unknown) => Promise<unknown>

/** Reads a resource without a client. */
const reading = (uri: string) => {
  const handlers = new Map<string, Handler>()
  const server = { setRequestHandler: (name: string, handler: Handler) => handlers.set(name, handler) }
  const pyro = fakePyro({ diff: () => new WorkspaceNotFound({ workspace: "zz", similar: [] }) })
  addResources(
    server as unknown as Server,
    Effect.succeed(pyro),
    (effect, signal) => Effect.runPromise(effect, { signal })
  )
  const context = { mcpReq: { signal: new AbortController().signal } }
  return handlers.get("resources/read")!({ params: { uri } }, context)
}

describe("a resource that cannot be read", () => {
  it("says why, and names no command of the user's", async () => {
    const failed = await reading("pyro://workspaces/zz/diff").catch((error: unknown) => error)
    assert.instanceOf(failed, Error)
    assert.strictEqual((failed as Error).message, "workspace_not_found: no workspace \"zz\"")
  })
})
