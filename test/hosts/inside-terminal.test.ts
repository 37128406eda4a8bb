import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { API, placeOfAgents } from "../support/agent-inside/place.ts"
import { checkedTerminal } from "../support/cli/checked-terminal.ts"
import { anthropicOf } from "./dialects/anthropic.ts"
import { FINISHED, scriptedModel } from "./scripted-model.ts"

const KEY = "sk-test-0123456789-of-the-person"
const env = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `https://${API}` }
const DETACH = "\x1d"
const CTRL_Z = "\x1a"
const ENTER = "\r"
/** A program of 400 MB under emulation, on a host with other work. */
const SLOW_MS = 900_000
const STEP_MS = 240_000

const model = scriptedModel(anthropicOf(""), [
  { tool: "Write", args: { file_path: "/workspace/made.txt", content: "made in a microVM\n" } }
])
let place: Awaited<ReturnType<typeof placeOfAgents>>

beforeAll(async () => {
  place = await placeOfAgents(["claude-code"], (request, response) => void model.listener(request, response))
})
afterAll(() => place.close())

describe("Claude Code in a workspace, on a terminal", () => {
  it(
    "the agent draws its screen, goes on after Ctrl-Z, asks a person, shows the answer, and goes on after ctrl-]",
    async () => {
      const { ended, screen, seen, shows, terminal } = checkedTerminal(
        ["agent", "claude-code", "--name", "typed", "--ask"],
        { enter: place.here.enter, env: { ...place.pyro.env, ...env } }
      )
      await shows("manual mode on", STEP_MS)
      terminal.write(CTRL_Z)
      await seen("suspended")
      await shows("manual mode on", STEP_MS)
      terminal.write("Make a file.")
      await shows(/❯\sMake a file\./, STEP_MS)
      terminal.write(ENTER)
      await shows("Do you want to create made.txt?", STEP_MS)
      terminal.write("1")
      await shows(FINISHED, STEP_MS)
      terminal.write(DETACH)
      assert.strictEqual(await ended, 0, screen())
      // The first screen again, without mouse reports and pasted marks, and the person's own modes.
      for (const off of ["?1049l", "?1000l", "?2004l", "?25h"]) {
        assert.isAbove(screen().lastIndexOf(`\x1b[${off}`), screen().lastIndexOf(FINISHED), off)
      }
      assert.match(screen(), /the shell goes on\. Return: pyro attach \S+ [0-9a-f]{8}[^]*modes restored/)
      const { shells } = await place.pyro.json<{ readonly shells: ReadonlyArray<{ readonly outcome: string }> }>(
        ["workspace", "shell", "list", "typed"]
      )
      assert.deepStrictEqual(shells.map(({ outcome }) => outcome), ["running"])
      assert.strictEqual(await place.pyro.sh("typed", "cat /workspace/made.txt"), "made in a microVM")
    },
    SLOW_MS
  )

  it(
    "the agent answers a prompt from a pipe",
    async () => {
      const { code, stderr, stdout } = await place.pyro.call(
        ["agent", "claude-code", "--workspace", "typed", "--", "-p"],
        { ...place.here, env, input: "These words come from a pipe.\n" }
      )
      assert.deepStrictEqual([code, stdout.toString().trim()], [0, FINISHED], stderr)
      assert.include(model.bodies.at(-1), "These words come from a pipe.")
      assert.match(stderr, /made\.txt[^]*pyro: next/)
    },
    SLOW_MS
  )
})
