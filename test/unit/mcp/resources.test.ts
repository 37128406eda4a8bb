import type { Server } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { callerProject } from "../../../src/contract/wire/caller-project.ts"
import { type SelectionName, selectionNames } from "../../../src/mcp/profile.ts"
import { addResources } from "../../../src/mcp/resources.ts"
import { selectedTools } from "../../../src/mcp/tool-table.ts"
import { emptyProject, fakePyro } from "../../mcp/fakes.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"

type Handler = (request: unknown, context: unknown) => Promise<unknown>

/** Reads a resource without a client. */
const reading = (
  workspace: Partial<PyroService["workspace"]>,
  uri: string,
  selection: SelectionName = "workspace-full",
  bound = Effect.succeed(emptyProject)
) => {
  const handlers = new Map<string, Handler>()
  const server = { setRequestHandler: (name: string, handler: Handler) => handlers.set(name, handler) }
  addResources(
    server as unknown as Server,
    Effect.succeed(fakePyro(workspace)),
    bound,
    new Set(selectedTools(selection).map(({ listed }) => listed.name)),
    (effect, signal) => Effect.runPromise(effect, { signal }),
    () => "host 1"
  )
  const context = { mcpReq: { signal: new AbortController().signal } }
  return handlers.get("resources/read")!({ params: { uri } }, context)
}

const gone = { diff: () => new WorkspaceNotFound({ workspace: "zz", similar: [] }) }

describe("a resource that cannot be read", () => {
  it("an unreadable resource shows the reason and no command of pyro", async () => {
    const failed = await reading(gone, "pyro://workspaces/zz/diff").catch((error: unknown) => error)
    assert.instanceOf(failed, Error)
    assert.strictEqual((failed as Error).message, "workspace_not_found: no workspace \"zz\"")
  })
})

/** What a client reads at a URI of the workspace `w`. */
const read = async (workspace: Partial<PyroService["workspace"]>, of: string, selection?: SelectionName) => {
  const answer = await reading(workspace, `pyro://workspaces/w/${of}`, selection)
  return (answer as { readonly contents: ReadonlyArray<{ readonly text: string }> }).contents[0]?.text
}

const diff = (result: object) => ({ diff: () => Effect.succeed(result as never) })
const file = (result: object) => ({
  file: {
    ...unfakedPyro.workspace.file,
    read: () => Effect.succeed({ path: "a", sizeBytes: 2048, ...result } as never)
  }
})
const logs = (result: object) => ({ logs: () => Effect.succeed({ commands: [], ...result } as never) })
const log = `logs/${"0".repeat(32)}`

describe("a resource", () => {
  it("a resource is read for the client, and for the project that the session was bound to", async () => {
    const seen: Array<string | undefined> = []
    const ofProject = Effect.map(callerProject, (caller) => {
      seen.push(caller?.project, caller?.client)
      return { patch: "" } as never
    })
    const bound = Effect.succeed({ ...emptyProject, path: "/p" })
    await reading({ diff: () => ofProject }, "pyro://workspaces/w/diff", "workspace-full", bound)
    assert.deepStrictEqual(seen, ["/p", "host 1"])
  })

  it("a resource has the text as it is, and what a reader would not see as escapes", async () => {
    assert.strictEqual(await read(diff({ patch: "-a\r\n+a\n" }), "diff"), "-a\r\n+a\n")
    assert.strictEqual(await read(file({ text: "\u009b\u202ea", truncated: false }), "files/a"), "\\x9b\\u202ea")
    assert.strictEqual(await read(diff({ patch: "+a\n" }), "diff"), "+a\n")
    assert.strictEqual(await read(file({ text: "a", truncated: false }), "files/a"), "a")
    assert.strictEqual(await read(logs({ output: "a\n" }), log), "a\n")
  })

  it("a resource reports what it leaves out", async () => {
    assert.strictEqual(
      await read(diff({ patch: "+a", truncated: true, patchBytes: 5 << 20 }), "diff"),
      "+a\n[the beginning of 5.0 MiB; workspace_export writes the whole patch]\n"
    )
    assert.strictEqual(
      await read(file({ text: "a\n", truncated: true }), "files/a"),
      "a\n[the beginning of 2.0 KiB]\n"
    )
    assert.strictEqual(await read(file({ binary: true, truncated: false }), "files/a"), "a is binary, 2048 bytes")
    assert.strictEqual(
      await read(logs({ output: "a\n", nextCursor: 2 }), log),
      "a\n[there may be more; read it with workspace_logs]\n"
    )
  })

  it.each(selectionNames)("a shortened resource of %s names no tool that the server lacks", async (selection) => {
    const there = new Set(selectedTools(selection).map(({ listed }) => listed.name))
    const texts = [
      await read(diff({ patch: "+a", truncated: true, patchBytes: 5 << 20 }), "diff", selection),
      await read(logs({ output: "a\n", nextCursor: 2 }), log, selection)
    ]
    for (const text of texts) {
      for (const [name] of text!.matchAll(/workspace_\w+/g)) assert.isTrue(there.has(name), text)
    }
    if (!there.has("workspace_export")) assert.include(texts[0], "an export by the user writes the whole")
    assert.include(texts[1], "there may be more")
  })
})
