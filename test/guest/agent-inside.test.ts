import { execFileSync } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { anthropicOf } from "../hosts/dialects/anthropic.ts"
import { FINISHED, scriptedModel } from "../hosts/scripted-model.ts"
import { fakeAgent } from "../support/agent-inside/fake-agent.ts"
import { API, OTHER, placeOfAgents } from "../support/agent-inside/place.ts"
import { searchGuest } from "../support/agent-inside/search.ts"
import { checkedTerminal } from "../support/cli/checked-terminal.ts"

const KEY = "sk-test-0123456789-of-the-person"
const env = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `https://${API}` }
const NAME = "repaired"
const DETACH = "\x1d"
/** A program of 400 MB under emulation, on a host with other work. */
const SLOW_MS = 900_000

let place: Awaited<ReturnType<typeof placeOfAgents>>
/** Where the key was found in the guest while the agent ran. */
let found = ""

/** Searches the guest while the agent waits for its model. */
const search = async () => {
  const { stderr, stdout } = await place.pyro.call(
    ["workspace", "exec", NAME, "--user", "root", "--", "python3", "-c", searchGuest(KEY)]
  )
  found = stdout.toString() + stderr
}

const file = "/workspace/greet.sh"
const model = scriptedModel(anthropicOf(""), [
  { tool: "Read", args: { file_path: file } },
  { tool: "Edit", args: { file_path: file, old_string: "Hello, $1", new_string: "Hello, ${1:-you}!" } },
  {
    tool: "Bash",
    args: {
      command: `sh test.sh; printenv ANTHROPIC_API_KEY; curl -sS https://${OTHER}/ 2>&1`,
      description: "Test, and leave the workspace"
    },
    before: search
  }
])

const agent = (...words: ReadonlyArray<string>) =>
  place.pyro.call(["agent", "claude-code", ...words], { ...place.here, env })

beforeAll(async () => {
  place = await placeOfAgents(["claude-code"], (request, response) => void model.listener(request, response))
})
afterAll(() => place.close())

describe("Claude Code in a workspace", { concurrent: false }, () => {
  it("an agent without a key is refused before anything is made", async () => {
    const empty = { ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "", CLAUDE_CODE_OAUTH_TOKEN: "" }
    const { code, stderr } = await place.pyro.call(["agent", "claude-code"], { ...place.here, env: empty })
    assert.deepStrictEqual([code, await place.pyro.list()], [125, []])
    assert.match(stderr, /claude-code needs a key.*export ANTHROPIC_API_KEY=/)
  })

  it(
    "the agent edits a file with its own tools, pyro shows the change, and a workspace with changes stays",
    async () => {
      const { code, stderr, stdout } = await agent("--name", NAME, "--delete", "--", "-p", "Repair greet.sh.")
      const all = `${stdout.toString()}\n${stderr}\n${JSON.stringify(model.seen().outputs)}\n${
        model.requests.join("\n")
      }`
      assert.strictEqual(code, 0, all)
      assert.strictEqual(stdout.toString().trim(), FINISHED, all)
      assert.match(stderr, /greet\.sh \| +2 \+-\n 1 file changed/, all)
      assert.match(
        stderr,
        /pyro diff ws-.*\n.*export ws-\S+ --apply .*\n.*pyro agent claude-code --workspace ws-/
      )
      assert.include(model.seen().outputs[2], "ok no name", all)
      assert.lengthOf(await place.pyro.list(), 1)
      assert.strictEqual(place.git("status", "--short"), "", "the host's project is as before")
    },
    SLOW_MS
  )

  it("the API gets the key, and the guest has it in no file and in no process", () => {
    assert.deepStrictEqual([...new Set(model.headers.map((all) => all["x-api-key"]))], [KEY])
    assert.strictEqual(found, "searched True True\n")
    assert.match(model.seen().outputs[2] ?? "", /pyro_secret_ANTHROPIC_API_KEY_[0-9a-f]{32}/)
  })

  it("the agent reaches the one name, and no other", async () => {
    assert.include(model.seen().outputs[2], "Could not resolve host", model.seen().outputs[2])
    const { entries } = await place.pyro.json<{
      readonly entries: ReadonlyArray<{ readonly host: string; readonly outcome: string }>
    }>(["workspace", "network", "log", NAME])
    const hosts = (outcome: string) => [...new Set(entries.flatMap((one) => one.outcome === outcome ? [one.host] : []))]
    assert.deepStrictEqual(hosts("allowed"), [API])
    assert.include(hosts("denied"), OTHER)
  })

  it("on a terminal, an agent draws its screen, gets what a person types, goes on after ctrl-], and ends with its status", async () => {
    const { installed, restored } = fakeAgent(place.pyro, NAME, "claude-code")
    await installed
    const enter = place.here.enter
    const onTerminal = (...words: ReadonlyArray<string>) =>
      checkedTerminal(words, { enter, env: { ...place.pyro.env, ...env } })

    const asking = onTerminal("agent", "claude-code", "--workspace", NAME, "--ask", "--", "--model", "none")
    // The hint how to detach may stand behind what the agent drew before.
    await asking.shows(/fake agent: --permission-mode default --model none.*\n30 100/)
    asking.terminal.write("hello\r")
    await asking.shows("you said: hello")
    asking.terminal.write(DETACH)
    assert.strictEqual(await asking.ended, 0)
    const [, returning] = /the shell goes on\. Return: pyro (attach \S+ [0-9a-f]{8})/.exec(asking.screen()) ??
      []
    assert.isDefined(returning, asking.screen())
    assert.match(asking.screen(), /\x1b\[\?1049l[^]*modes restored/)
    assert.notInclude(asking.screen(), "pyro: next")

    const back = onTerminal(...returning!.split(" "))
    await back.shows("you said: hello")
    back.terminal.write("bye\r")
    assert.strictEqual(await back.ended, 7)

    const trusting = onTerminal("agent", "claude-code", "--workspace", NAME)
    await trusting.shows("fake agent: --dangerously-skip-permissions")
    trusting.terminal.write("bye\r")
    assert.strictEqual(await trusting.ended, 7)
    assert.match(trusting.screen(), /greet\.sh[^]*pyro: next\r\n[^]*modes restored/)

    const piped = await place.pyro.call(
      ["agent", "claude-code", "--workspace", NAME],
      { ...place.here, env, input: "a prompt from a pipe\n" }
    )
    assert.deepStrictEqual([piped.code, piped.stdout.toString()], [7, "piped: a prompt from a pipe\n"], piped.stderr)
    await restored()
  })

  it("a workspace goes on with the agent, and is deleted when its changes are in a patch, which repairs the project", async () => {
    const { code, stderr, stdout } = await agent(
      ...["--workspace", NAME, "--delete", "--patch", "fix.patch", "--", "--version"]
    )
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout.toString(), /^\d+\.\d+\.\d+ \(Claude Code\)/)
    assert.deepStrictEqual(await place.pyro.list(), [])
    place.git("apply", "fix.patch")
    assert.include(execFileSync("sh", ["test.sh"], { cwd: place.project, encoding: "utf8" }), "ok no name")
  })
})
