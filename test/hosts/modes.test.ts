import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type ModeName, modeOf } from "../../src/contract/rows/modes.ts"
import { installation } from "../support/installation.ts"
import { agentHosts, configure } from "./agent-hosts.ts"
import { newPlace, play, type Played } from "./play.ts"
import { FINISHED, startModel } from "./scripted-model.ts"

/** Modes of the hosts, in the order of the hosts: two hosts for each of two modes. */
const modes: ReadonlyArray<ModeName> = ["repro-fix", "inspect", "repro-fix", "inspect"]

/** One word: Claude Code gives a prompt's argument one word. */
const GIVEN = "greet.sh"

const inJson = (text: string) => JSON.stringify(text).slice(1, -1)

describe.each(agentHosts.map((host, at) => [host.name, modes[at]!, host] as const))(
  "%s that is connected with --mode %s",
  (_, name, host) => {
    const mode = modeOf(name)!
    const { close, env, folder } = installation("pyro-hosts-")
    let played: Played
    let model: Awaited<ReturnType<typeof startModel>>
    /** JSON of all requests to the model. */
    let asked: string

    beforeAll(async () => {
      // A call that needs no microVM. Claude Code sends the instructions after the first call if a prompt begins the conversation.
      model = await startModel(host.dialect, [{ tool: "workspace_diff", args: { workspace_id: "none" } }])
      const place = newPlace(folder, env, model.origin)
      configure(host, place, ["--mode", name])
      const args = host.promptArgs?.(name, mode.prompt.argument.name, GIVEN)
      played = await play(host, place, args === undefined ? {} : { args })
      asked = model.bodies.join("\n")
    })
    afterAll(async () => {
      await model.close()
      await close()
    })

    it("the host's model gets the tools of the mode, and no other tool of pyro", () => {
      assert.include(played.printed, FINISHED, model.requests.join("\n"))
      const { nameOf } = host.dialect
      const wanted = Object.keys(mode.tools).map(nameOf)
      assert.sameMembers(model.seen().tools.filter((tool) => tool.startsWith(nameOf(""))), wanted)
      // Claude Code names further tools in a text.
      assert.includeMembers(
        wanted,
        asked.match(new RegExp(nameOf("(?:vm|workspace|service)_[a-z_]*[a-z]\\b"), "g")) ?? []
      )
      assert.include(model.seen().outputs[0], "workspace_not_found")
    })

    it("the host's model gets the instructions of the mode", () => {
      for (const paragraph of mode.instructions) assert.include(asked, inJson(paragraph))
    })

    // No skipped test for Codex, which has no prompts: a skip fails the run.
    if (host.promptArgs === undefined) return
    it("the host has the mode's prompt, and sends its text to the model", () => {
      const text = mode.prompt.text(GIVEN)
      // Gemini CLI sends the text as a JSON string.
      assert.isTrue([text, JSON.stringify(text)].some((form) => asked.includes(inJson(form))), played.printed)
    })
  }
)
