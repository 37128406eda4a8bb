import { assert, describe, it } from "vitest"
import { oneHalfHosts } from "../../src/mcp/clients.ts"
import { buildFake } from "../cli/build-fake.ts"
import { envelope, initialize } from "../support/mcp/mcp-messages.ts"
import { projectServers } from "./project-servers.ts"

const { serve } = projectServers(buildFake())

interface Listed {
  readonly name: string
  readonly description: string
  readonly outputSchema?: object
}

/** A client of one name in one revision: its requests, and the instructions that it got. */
const connected = async (name: string, revision: "with initialize" | "2026-07-28") => {
  const client = serve([])
  const clientInfo = { name, version: "1" }
  if (revision === "with initialize") {
    const { result } = await client.request("initialize", initialize("2025-11-25", { clientInfo }).params)
    return { client, params: {}, instructions: result!["instructions"] as string }
  }
  const params = envelope("2026-07-28", { "io.modelcontextprotocol/clientInfo": clientInfo })
  const { result } = await client.request("server/discover", params)
  return { client, params, instructions: result!["instructions"] as string }
}

const toolsOf = async ({ client, params }: Awaited<ReturnType<typeof connected>>) =>
  (await client.request("tools/list", params)).result!["tools"] as ReadonlyArray<Listed>

describe("a host that needs one half of a result", () => {
  it("the table of hosts names the evidence of each and its version", () => {
    for (const { evidence } of oneHalfHosts) assert.match(evidence, /\d+\.\d+\.\d+/)
  })

  it.each(
    [
      ["copilot-cli", "2026-07-28"],
      ["copilot-cli", "with initialize"],
      ["@cline/core", "with initialize"],
      ["qwen-cli-mcp-client-pyro", "with initialize"]
    ] as const
  )("%s (%s) gets the text alone, and the instructions with the first tool", async (name, revision) => {
    const connection = await connected(name, revision)
    const early = await toolsOf(connection)
    assert.deepStrictEqual(await toolsOf(connection), early)
    assert.lengthOf(early, 16)
    for (const tool of early) assert.notProperty(tool, "outputSchema")
    assert.isTrue(early[0]!.description.endsWith(`\n\n${connection.instructions}`))
    assert.lengthOf(early.filter(({ description }) => description.includes(connection.instructions)), 1)
    const { client, params } = connection
    const answer = await client.call("workspace_list", {}, params)
    assert.notProperty(answer, "structuredContent")
    assert.match(answer.content[0]!.text, /workspace/)
    const failed = await client.call("workspace_status", { workspace_id: "nope" }, params)
    assert.isTrue(failed.isError)
    await client.close()
  })

  it.each(["2026-07-28", "with initialize"] as const)("every other client (%s) gets both halves", async (revision) => {
    const connection = await connected("claude-code", revision)
    const early = await toolsOf(connection)
    assert.deepStrictEqual(await toolsOf(connection), early)
    assert.property(early.find(({ name }) => name === "workspace_list"), "outputSchema")
    assert.notInclude(early[0]!.description, connection.instructions)
    const answer = await connection.client.call("workspace_list", {}, connection.params)
    assert.property(answer, "structuredContent")
    await connection.client.close()
  })
})
