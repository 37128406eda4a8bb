import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node-pty"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { type InsideRequest, prepareInside } from "../../../src/agent-host/inside.ts"
import { type InsideName, insideNames } from "../../../src/contract/rows/agent-host.ts"
import { checkName, packageNames } from "../../../src/lib/environment/model/own.ts"
import { temporaryFolder, until } from "../../support/pyro-cli.ts"

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

/** The shell script that begins an agent's process. */
const scriptOf = (args: ReadonlyArray<string>) =>
  Effect.runPromise(Effect.map(prepared("claude-code", { args }), ({ command }) => command[2]!))

/** A program that reads keys, as agents do: Ctrl-Z stops it with SIGTSTP, and SIGCONT brings it back. */
const PROGRAM = `
const { stdin } = process
const say = (text) => process.stdout.write(text + "\\r\\n")
stdin.setRawMode(true)
stdin.on("data", (bytes) => {
  for (const key of bytes.toString()) {
    if (key === "q") process.exit(3)
    if (key !== "\\x1a") { say("key " + key); continue }
    stdin.setRawMode(false)
    process.once("SIGCONT", () => { stdin.setRawMode(true); say("back") })
    process.kill(process.pid, "SIGTSTP")
  }
})
say("ready")`

describe("an agent in a workspace", () => {
  it.each(["dash", "bash"])("an agent on a terminal goes on after each Ctrl-Z, with %s", async (shell) => {
    const { folder, remove } = temporaryFolder("pyro-ctrl-z-")
    try {
      const words = ["-c", await scriptOf([]), "agent", process.execPath, "-e", PROGRAM]
      const terminal = spawn(shell, words, { env: { ...process.env, HOME: folder } as Record<string, string> })
      let screen = ""
      terminal.onData((text) => (screen += text))
      const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
      const shows = (text: string) => until(() => `${text}, and saw ${screen}`, () => screen.includes(text))
      await shows("ready")
      for (const key of ["a", "b"]) {
        screen = ""
        terminal.write("\x1a")
        await shows("back")
        terminal.write(key)
        await shows(`key ${key}`)
      }
      terminal.write("q")
      assert.strictEqual(await ended, 3)
    } finally {
      remove()
    }
  })

  it("an agent without a terminal, and one that answers once, take the place of the shell", async () => {
    const run = "exec \"$@\""
    const [full, once] = [await scriptOf([]), await scriptOf(["-p", "x"])]
    assert.isTrue(full.endsWith(run) && once.endsWith(run))
    assert.include(full, "set -m")
    assert.notInclude(once, "set -m")
    const { folder, remove } = temporaryFolder("pyro-agent-")
    const { stdout } = await promisify(execFile)("sh", ["-c", full, "agent", "sh", "-c", "echo $PPID"], {
      env: { ...process.env, HOME: folder }
    }).finally(remove)
    assert.strictEqual(stdout.trim(), `${process.pid}`)
  })

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
