import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"
import { type AgentHost, agentHosts, configure } from "./agent-hosts.ts"
import type { ToolCall } from "./dialects/dialect.ts"
import { newPlace, play, type Played } from "./play.ts"
import { FINISHED, startModel } from "./scripted-model.ts"

/** Id of a command. */
export const EXEC_ID = /\b[0-9a-f]{32}\b/

/** A call of a host's model, and what the model has to see. */
export interface Step {
  readonly what: string
  readonly call: ToolCall
  readonly expect: (output: string, project: string) => void
}

/** A call of a tool for the workspace `fix`. */
export const on = (tool: string, args: object = {}): ToolCall => ({ tool, args: { workspace_id: "fix", ...args } })

export const includes = (...words: ReadonlyArray<string>) => (output: string) => {
  for (const word of words) assert.include(output, word, output)
}

export interface Story {
  readonly title: string
  readonly steps: ReadonlyArray<Step>
  /** Options of `pyro host connect`. */
  readonly connect?: ReadonlyArray<string>
  /** Variables of the daemon. */
  readonly env?: Readonly<Record<string, string>>
}

/** Plays a story in each host with a scripted model: every step is a test. The story deletes its workspace. */
export const tellStory = ({ connect = [], env: more = {}, steps, title }: Story) =>
  describe.each(agentHosts.map((host) => [host.name, host] as const))(`${title}, with %s`, (_, host: AgentHost) => {
    const pyro: Installation = installation("pyro-hosts-", { env: { PYRO_CACHE_DIR: sharedCache, ...more } })
    const { close, env, folder, json } = pyro
    let played: Played
    let project: string
    let model: Awaited<ReturnType<typeof startModel>>

    beforeAll(async () => {
      // A host may keep variables from its servers, so the daemon has them before.
      await json(["list"])
      model = await startModel(host.dialect, steps.map(({ call }) => call))
      const place = newPlace(folder, env, model.origin)
      project = place.project
      configure(host, place, ["--approve", "all", ...connect])
      played = await play(host, place)
    })
    afterAll(async () => {
      await model.close()
      await close()
    })

    it("the host offers its model the tools of the script and plays the script to its end", () => {
      const offered = steps.map(({ call }) => host.dialect.nameOf(call.tool))
      assert.include(played.printed, FINISHED, `${model.requests.join("\n")}\n${JSON.stringify(model.seen())}`)
      if (!model.seen().tools.includes("ToolSearch")) assert.includeMembers([...model.seen().tools], offered)
      assert.strictEqual(played.code, 0, played.printed)
      assert.lengthOf(model.seen().outputs, steps.length)
    })

    it.each(steps.map((step, index) => [step.what, step, index] as const))(
      "the host's model %s",
      (_, step, index) => {
        const output = model.seen().outputs[index]
        assert.isDefined(output)
        step.expect(output!, project)
      }
    )

    it("the host leaves no workspace", async () => {
      assert.deepStrictEqual(
        (await json<{ readonly workspaces: ReadonlyArray<unknown> }>(["workspace", "list"])).workspaces,
        []
      )
    })
  })
