import * as fs from "node:fs"
import { assert, describe, it } from "vitest"
import { modeNames, modeOf } from "../../src/contract/rows/modes.ts"
import { buildFake } from "../cli/build-fake.ts"
import { envelope } from "../support/mcp/mcp-messages.ts"
import { projectServers } from "./project-servers.ts"

const { project, serve } = projectServers(buildFake())

interface Listed {
  readonly name: string
  readonly inputSchema: { readonly properties: object }
  readonly _meta?: object
}
interface PromptAnswer {
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: { readonly text: string } }>
}

describe.each(modeNames)("a server with --mode %s", (name) => {
  const mode = modeOf(name)!

  it("the server has the tools, the instructions and the prompt of the mode", async () => {
    const client = serve(["--mode", name, "--network-ceiling", "egress"])
    const { result } = await client.initialize()
    assert.property(result!["capabilities"], "prompts")
    assert.include(result!["instructions"] as string, `${mode.instructions[0]!}\n`)
    assert.include(result!["instructions"] as string, fs.realpathSync(project))
    const tools = (await client.request("tools/list")).result!["tools"] as ReadonlyArray<Listed>
    assert.sameMembers(tools.map((tool) => tool.name), Object.keys(mode.tools))
    for (const tool of tools) {
      assert.sameMembers(Object.keys(tool.inputSchema.properties), [...mode.tools[tool.name]!.arguments], tool.name)
      assert.deepStrictEqual(tool._meta, { "anthropic/alwaysLoad": true }, tool.name)
    }
    const { argument, description, text } = mode.prompt
    assert.deepStrictEqual((await client.request("prompts/list")).result!["prompts"], [
      { name, description, arguments: [{ ...argument, required: false }] }
    ])
    const promptFor = async (typed: string) => {
      const asked = { name, arguments: { [argument.name]: typed } }
      const { messages } = (await client.request("prompts/get", asked)).result as unknown as PromptAnswer
      assert.deepStrictEqual(messages.map(({ role }) => role), ["user"])
      return messages[0]!.content.text
    }
    assert.strictEqual(await promptFor("what a person typed"), text("what a person typed"))
    assert.strictEqual(await promptFor(""), text())
    await client.close()
  })
})

describe("a server with a mode", () => {
  it("a call of a tool outside of the mode is refused with the tools of the mode", async () => {
    const client = serve(["--mode", "inspect"])
    await client.initialize()
    const { content, isError } = await client.call("workspace_export", { workspace_id: "a", output_path: "x" })
    assert.isTrue(isError)
    assert.match(
      content[0]!.text,
      /^invalid_request: workspace_export is a tool of the profile workspace-core and of workspace-full, and this server has the mode inspect; .*This server has workspace_create, /
    )
    assert.include(
      (await client.request("tools/call", { name: "none", arguments: {} })).error!.message,
      "there is no tool none"
    )
    const mistyped = await client.request("tools/call", { name: "workspace_creat", arguments: {} })
    assert.match(mistyped.error!.message, /\. Did you mean workspace_create\?$/)
    await client.close()
  })

  it("the tools of a mode work, and a workspace starts from the project", async () => {
    const client = serve(["--mode", "repro-fix"])
    await client.initialize()
    const id = await client.create()
    const { structuredContent } = await client.call("workspace_exec", { workspace_id: id, command: "true" })
    assert.strictEqual(structuredContent!["state"], "exited")
    const wrong = await client.call("workspace_create", { labels: {} })
    assert.match(wrong.content[0]!.text, /^invalid_request: labels: is no argument of this tool; it has environment/)
    await client.close()
  })

  it("prompts are refused by name and by argument", async () => {
    const client = serve(["--mode", "inspect"])
    await client.initialize()
    const refusal = async (params: object) => (await client.request("prompts/get", params)).error
    assert.deepInclude(await refusal({ name: "repro-fix" }), {
      code: -32602,
      message: "there is no prompt repro-fix; this server has inspect"
    })
    assert.deepInclude(await refusal({ name: "inspect", arguments: { colour: "red" } }), {
      code: -32602,
      message: "colour is no argument of inspect; it has target"
    })
    await client.close()
  })

  it("revision 2026-07-28 has the prompts too, and a server with a profile has none", async () => {
    const client = serve(["--mode", "cold-start"])
    const { result } = await client.request("prompts/list", envelope())
    assert.lengthOf(result!["prompts"] as ReadonlyArray<unknown>, 1)
    await client.close()
    const other = serve([])
    const { result: hello } = await other.initialize()
    assert.notProperty(hello!["capabilities"], "prompts")
    assert.strictEqual((await other.request("prompts/list")).error!.code, -32601)
    await other.close()
  })
})
