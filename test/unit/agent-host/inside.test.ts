import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { setImmediate } from "node:timers/promises"
import { promisify } from "node:util"
import { type InsideRequest, prepareInside } from "../../../src/agent-host/inside.ts"
import { type InsideName, insideNames } from "../../../src/contract/rows/agent-host.ts"
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

const KEY = "ANTHROPIC_API_KEY"
type Variables = Readonly<Record<string, string>>

/** Claude Code with these variables of the host. */
const claudeWith = (variables: Variables, request: Partial<InsideRequest> = {}) =>
  prepareInside({ agent: "claude-code", args: [], ask: false, env: {}, ...request }, (name) => variables[name])
const access = (url: string) =>
  Effect.map(claudeWith({ [KEY]: "value", ANTHROPIC_BASE_URL: url }), (inside) => inside.access)

/** An agent with a key, and the usual provider. */
const prepared = (agent: InsideName, request: Partial<InsideRequest> = {}) =>
  prepareInside(
    { agent, args: [], ask: false, env: {}, ...request },
    (name) => name.endsWith("_URL") ? undefined : "value-of-the-key"
  )

/** The script that begins the agent's process, and the part of it that watches the agent. */
const scripts = Effect.gen(function*() {
  const scriptOf = (args: ReadonlyArray<string>) =>
    Effect.map(prepared("claude-code", { args }), ({ command }) => command[2]!)
  const [full, once] = [yield* scriptOf([]), yield* scriptOf(["-p", "x"])]
  const run = "exec \"$@\""
  assert.isTrue(once.endsWith(run) && full.startsWith(once.slice(0, -run.length)))
  return { once, full, watching: full.slice(once.length - run.length) }
})

describe("an agent in a workspace", () => {
  it("an agent that stops itself goes on, and leaves no process behind", async () => {
    const mark = `agent-${process.pid}-${Date.now()}`
    const { watching } = await Effect.runPromise(scripts)
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-c", watching, mark, "sh", "-c", "kill -STOP $$; echo went on"]
    )
    assert.strictEqual(stdout, "went on\n")
    while (isLeft(mark)) await setImmediate()
  })

  it.effect("an agent that answers once is not watched", () =>
    Effect.gen(function*() {
      const { full, once } = yield* scripts
      assert.include(full, "kill -CONT")
      assert.notInclude(once, "kill -CONT")
    }))

  it.effect("the guest reaches the provider's host, and pyro puts the key into its header", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* claudeWith({ [KEY]: "value" })).access, {
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
      const { key } = yield* claudeWith({ [KEY]: "", CLAUDE_CODE_OAUTH_TOKEN: "token" })
      assert.deepStrictEqual([key.variable, key.value], ["CLAUDE_CODE_OAUTH_TOKEN", "token"])
      const error = yield* Effect.flip(claudeWith({}))
      for (const variable of [KEY, "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]) {
        assert.include(error.message, variable)
      }
    }))

  it.effect.each(insideNames)(
    "the row of %s has exact packages, and names of environments that pyro accepts",
    (name) =>
      Effect.gen(function*() {
        const { agent, environment, isIn } = yield* prepared(name)
        assert.strictEqual(agent, name)
        yield* packageNames(environment)
        for (const from of ["debian:12", "debian:13-build", `mine:${"2".repeat(60)}`]) {
          const { environment } = yield* prepared(name, { environment: from })
          yield* checkName(environment.name)
          assert.isTrue(isIn(environment.name))
        }
        assert.isFalse(isIn("debian:12"))
      })
  )

  it.effect.each(insideNames)(
    "whether %s asks depends on its command line and variables, and on no file of an earlier run",
    (name) =>
      Effect.gen(function*() {
        const files = (ask: boolean) =>
          Effect.map(prepared(name, { ask }), ({ command }) =>
            command[2]!.split("\n").filter((line) => !line.startsWith("export ")))
        assert.deepStrictEqual(yield* files(true), yield* files(false))
      })
  )

  it.effect("the agent works without questions, unless the person asks for them", () =>
    Effect.gen(function*() {
      const { command, isOnce } = yield* prepared("claude-code", { args: ["-p", "hello"] })
      assert.deepStrictEqual(command.slice(-3), ["--dangerously-skip-permissions", "-p", "hello"])
      const asking = yield* prepared("claude-code", { ask: true })
      assert.notInclude(asking.command.join(" "), "--dangerously-skip-permissions")
      assert.deepStrictEqual(asking.command.slice(-2), ["--permission-mode", "default"])
      assert.notInclude(command.join(" "), "value-of-the-key")
      assert.deepStrictEqual([isOnce, asking.isOnce], [true, false])
    }))
})
