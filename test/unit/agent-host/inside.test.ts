import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { setImmediate } from "node:timers/promises"
import { promisify } from "node:util"
import { agentInside } from "../../../src/agent-host/inside/agents.ts"
import { accessOf, keyOf } from "../../../src/agent-host/inside/key.ts"
import { commandOf, environmentNameOf, hasAgent, isOnce, KEEP_GOING } from "../../../src/agent-host/inside/program.ts"
import { insideNames } from "../../../src/contract/rows/agent-inside.ts"
import { checkName, packageNames } from "../../../src/environment/own.ts"

/** Whether a process of a test's own script is left. */
const isLeft = (mark: string) =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`).some((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark)
    } catch {
      return false
    }
  })

const claude = agentInside("claude-code")
const KEY = "ANTHROPIC_API_KEY"
const keyIn = (variables: Readonly<Record<string, string>>) => keyOf(claude, (name) => variables[name])
const access = (url: string) => Effect.flatMap(keyIn({ [KEY]: "value", ANTHROPIC_BASE_URL: url }), accessOf)

describe("an agent in a workspace", () => {
  it("an agent that stops itself goes on, and leaves no process behind", async () => {
    const mark = `agent-${process.pid}-${Date.now()}`
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-c", `${KEEP_GOING}\nexec "$@"`, mark, "sh", "-c", "kill -STOP $$; echo went on"]
    )
    assert.strictEqual(stdout, "went on\n")
    while (isLeft(mark)) await setImmediate()
  })

  it("an agent that answers once is not watched", () => {
    const [key] = claude.keys
    const script = (args: ReadonlyArray<string>) =>
      commandOf(claude, { ...key, url: key.baseUrl.fallback }, args, { ask: false })[2]
    assert.include(script([]), KEEP_GOING)
    assert.notInclude(script(["-p", "x"]), KEEP_GOING)
  })

  it.effect("the guest reaches the provider's host, and pyro puts the key into its header", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Effect.flatMap(keyIn({ [KEY]: "value" }), accessOf), {
        allowHost: "api.anthropic.com:443",
        secretHttp: `${KEY}@api.anthropic.com:x-api-key`
      })
    }))

  it.effect("the person's base URL decides the host and the port", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* access("https://proxy.example.com:8443/anthropic"), {
        allowHost: "proxy.example.com:8443",
        secretHttp: `${KEY}@proxy.example.com:8443:x-api-key`
      })
    }))

  it.effect.each([
    "http://proxy.example.com",
    "https://127.0.0.1",
    "https://[::1]:8443",
    "proxy.example.com",
    "ftp://a.b"
  ])(
    "the base URL %j is refused by the name of its variable",
    (url) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(access(url))
        assert.deepStrictEqual([error._tag, "field" in error && error.field], ["InvalidRequest", "ANTHROPIC_BASE_URL"])
      })
  )

  it.effect("the first variable with a value has the key, and an error names all of them", () =>
    Effect.gen(function*() {
      const token = yield* keyIn({ [KEY]: "", CLAUDE_CODE_OAUTH_TOKEN: "token" })
      assert.deepStrictEqual([token.variable, token.value], ["CLAUDE_CODE_OAUTH_TOKEN", "token"])
      const error = yield* Effect.flip(keyIn({}))
      for (const { variable } of claude.keys) assert.include(error.message, variable)
    }))

  it.effect.each(insideNames)(
    "the row of %s has exact packages, and names of environments that pyro accepts",
    (name) =>
      Effect.gen(function*() {
        const agent = agentInside(name)
        assert.strictEqual(agent.name, name)
        yield* packageNames(agent)
        for (const from of ["debian:12", "debian:13-build", `mine:${"2".repeat(60)}`]) {
          const environment = environmentNameOf(agent, from)
          yield* checkName(environment)
          assert.isTrue(hasAgent(agent, environment))
        }
        assert.isFalse(hasAgent(agent, "debian:12"))
      })
  )

  it.each(insideNames)(
    "whether %s asks depends on its command line and variables, and on no file of an earlier run",
    (name) => {
      const agent = agentInside(name)
      const [key] = agent.keys
      const files = (ask: boolean) =>
        agent.setUp({ ...key, url: key.baseUrl.fallback }, { ask }).split("\n").filter((line) =>
          !line.startsWith("export ")
        )
      assert.deepStrictEqual(files(true), files(false))
    }
  )

  it.effect("the agent works without questions, unless the person asks for them", () =>
    Effect.gen(function*() {
      const key = yield* keyIn({ [KEY]: "value-of-the-key" })
      const command = commandOf(claude, key, ["-p", "hello"], { ask: false })
      assert.deepStrictEqual(command.slice(-3), ["--dangerously-skip-permissions", "-p", "hello"])
      const asking = commandOf(claude, key, [], { ask: true })
      assert.notInclude(asking.join(" "), "--dangerously-skip-permissions")
      assert.deepStrictEqual(asking.slice(-2), ["--permission-mode", "default"])
      assert.notInclude(command.join(" "), "value-of-the-key")
      assert.deepStrictEqual([isOnce(claude, ["-p", "hello"]), isOnce(claude, [])], [true, false])
    }))
})
