import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { NetworkAboveCeiling } from "../../src/contract/errors/errors.ts"
import { ceilingText, readCeiling } from "../../src/contract/rows/network-ceiling.ts"
import type { CreatePayload } from "../../src/contract/rows/workspace-lifecycle.ts"
import { callerCeiling } from "../../src/contract/wire/caller-project.ts"
import { callTool } from "../../src/mcp/call.ts"
import { instructionsOf } from "../../src/mcp/instructions.ts"
import { makePending } from "../../src/mcp/pending.ts"
import { profileTools, selectedTools } from "../../src/mcp/tool-table.ts"
import { grantsOf, type Project } from "../../src/sdk/project.ts"
import { emptyProject, fakePyro, textOf } from "./fakes.ts"

const under = (ceiling: string): Project => ({ ...emptyProject, networkCeiling: readCeiling(ceiling)! })

const createTool = (project: Project) =>
  profileTools("core", grantsOf(project)).find(({ listed }) => listed.name === "workspace_create")!

/** Creates a workspace as a model of the project: the requests that arrive with the ceiling of their caller, and the answer. */
const create = async (args: Readonly<Record<string, unknown>>, project: Project, tool = createTool(project)) => {
  const arrived: Array<{ readonly payload: CreatePayload; readonly ceiling: string | undefined }> = []
  const pyro = fakePyro({
    create: (payload) =>
      Stream.fromEffect(Effect.flatMap(callerCeiling, (ceiling) => {
        arrived.push({ payload, ceiling: ceiling && ceilingText(ceiling) })
        return new NetworkAboveCeiling({ asked: "the host x", ceiling: "off" })
      }))
  })
  const context = { pyro: Effect.succeed(pyro), project, pending: makePending(), report: () => {} }
  const answer = await Effect.runPromise(callTool(tool, args, context))
  return { arrived, text: textOf(answer) }
}

describe("the network ceiling of a server", () => {
  it("a server without a ceiling offers no network, and says who can change this", async () => {
    const properties = createTool(emptyProject).listed.inputSchema.properties ?? {}
    assert.notProperty(properties, "network_policy")
    assert.notProperty(properties, "allow_hosts")
    const { arrived, text } = await create({ allow_hosts: ["npm"] }, emptyProject)
    assert.isEmpty(arrived)
    assert.match(text, /^invalid_request: allow_hosts: this server grants no network.*network-ceiling/)
    assert.match(instructionsOf("workspace-core", emptyProject), /no network/)
  })

  it("a server with a ceiling offers the arguments, and its requests carry the ceiling", async () => {
    const project = under("egress:npm,pypi")
    assert.property(createTool(project).listed.inputSchema.properties, "allow_hosts")
    const { arrived: [request], text } = await create({ allow_hosts: ["npm"] }, project)
    assert.deepStrictEqual(request?.payload.allowHosts, ["npm"])
    assert.strictEqual(request?.ceiling, "egress:npm,pypi")
    assert.match(text, /^network_above_ceiling: .*\nhint: .*the user/)
    assert.match(instructionsOf("workspace-core", project), /allow_hosts.*egress:npm,pypi/)
  })

  it("the mode inspect asks for a network that is off and watched, unless the model asks for hosts", async () => {
    const inspectCreate = (project: Project) =>
      selectedTools("inspect", grantsOf(project)).find(({ listed }) => listed.name === "workspace_create")!
    const asked = async (args: Readonly<Record<string, unknown>>, project: Project) => {
      const { arrived: [request] } = await create(args, project, inspectCreate(project))
      return [request?.payload.networkPolicy, request?.payload.allowHosts]
    }
    const open = under("egress:npm")
    assert.deepStrictEqual(await asked({}, emptyProject), ["off", undefined])
    assert.deepStrictEqual(await asked({ allow_hosts: [] }, open), ["off", []])
    assert.deepStrictEqual(await asked({ allow_hosts: ["npm"] }, open), [undefined, ["npm"]])
  })

  it("a tool is of the open world only under a ceiling that opens it: Codex refuses such tools unless a person approves", () => {
    assert.isFalse(createTool(emptyProject).listed.annotations.openWorldHint)
    assert.isTrue(createTool(under("egress")).listed.annotations.openWorldHint)
  })

  it("a ceiling reads the forms that it writes", () => {
    for (const text of ["off", "egress", "egress:npm,pypi", "egress+published-ports", "egress+published-ports:npm"]) {
      assert.strictEqual(ceilingText(readCeiling(text)!), text)
    }
    for (const text of ["", "ports", "egress+", "egress+published-ports:", "off:npm", "egress:npm,"]) {
      assert.isUndefined(readCeiling(text), text)
    }
  })

  it("a request of a server without a ceiling may grant nothing", async () => {
    const { arrived: [request] } = await create({}, emptyProject)
    assert.strictEqual(request?.ceiling, "off")
  })

  it("the network costs workspace-core at most 350 tokens more", () => {
    const tokens = (project: Project) =>
      JSON.stringify(profileTools("core", grantsOf(project)).map(({ listed }) => listed)).length / 4
    assert.isAtMost(tokens(under("egress")) - tokens(emptyProject), 350)
    assert.isAtMost(
      instructionsOf("workspace-core", under(`egress:${"host.example.com,".repeat(99)}x.test`)).length,
      2_000
    )
  })
})
