import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Stream } from "effect"
import { withApiWatch } from "../../../src/cli/agent/agent.ts"
import { fromFile } from "../../../src/cli/agent/project-file.ts"
import { earlierWorkspace, workspaceFor } from "../../../src/cli/agent/workspace.ts"
import { decode, parse } from "../../../src/cli/arguments/parser.ts"
import { OutputOptions } from "../../../src/cli/output/print.ts"
import { agentCommand, AgentPayload } from "../../../src/cli/rows/agent.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import type { CreatePayload } from "../../../src/contract/rows/workspace-lifecycle.ts"
import { folderWith } from "../project/folder.ts"

/** A terminal on which a person types, and what it shows. */
const screen = (typed: string | undefined) => {
  const shown: Array<string> = []
  return {
    text: () => shown.join(""),
    provide: <A, E, R>(effect: Effect.Effect<A, E, R>, workspace: object) =>
      effect.pipe(
        Effect.provideService(Terminal, {
          stdinIsTerminal: typed !== undefined,
          stderrIsTerminal: typed !== undefined,
          stdin: Stream.make(new TextEncoder().encode(typed ?? "")),
          size: Effect.succeed({ cols: 80, rows: 24 }),
          writeStderr: (text: string) => Effect.sync(() => void shown.push(text))
        } as never),
        Effect.provideService(OutputOptions, { quiet: false, switches: new Set<string>() }),
        Effect.provideService(Pyro, { workspace } as never)
      )
  }
}

describe("pyro agent in a project with a workspace of an earlier run", () => {
  const one = (id: string, project: string, createdAt: string, state = "running") => ({ id, project, createdAt, state })
  const workspace = {
    list: ({ labels }: { readonly labels: object }) =>
      Effect.succeed({
        workspaces: JSON.stringify(labels) === "{\"agent\":\"codex\"}"
          ? [
            one("ws-old", "/p", "2026-01-01"),
            one("ws-new", "/p", "2026-01-03"),
            one("ws-other", "/q", "2026-01-04"),
            one("ws-failed", "/p", "2026-01-05", "failed")
          ]
          : []
      })
  }
  const run = (typed: string | undefined, payload: Partial<AgentPayload> = {}, isOnce = false) => {
    const { provide, text } = screen(typed)
    const wanted = earlierWorkspace({ agent: "codex", new: false, ...payload } as AgentPayload, "/p", isOnce)
    return Effect.map(provide(wanted, workspace), (id) => [id, text()] as const)
  }

  it.effect("a person goes on in the newest one, or says no", () =>
    Effect.gen(function*() {
      for (const typed of ["\n", "y\n", "Yes\n"]) assert.strictEqual((yield* run(typed))[0], "ws-new", typed)
      const [id, text] = yield* run("n\n")
      assert.isUndefined(id)
      assert.include(text, "codex has the workspace ws-new of this project")
    }))

  it.effect("--new, options of a new workspace, and another agent ask nothing", () =>
    Effect.gen(function*() {
      const options = [{ new: true }, { name: "x" }, { seedPath: "/p" }, { git: "full" }, { agent: "gemini" }] as const
      for (const option of options) assert.deepStrictEqual(yield* run("\n", option), [undefined, ""])
    }))

  it.effect("a run without a terminal gets a new one, and a note names the earlier one", () =>
    Effect.gen(function*() {
      for (const [id, text] of [yield* run(undefined), yield* run("\n", {}, true)]) {
        assert.isUndefined(id)
        assert.match(text, /--workspace ws-new\n$/)
      }
    }))
})

describe("pyro agent in a new workspace", () => {
  const inside = {
    agent: "codex",
    key: { variable: "OPENAI_API_KEY", value: "correct-horse-battery" },
    access: { allowHost: "api.openai.com", secretHttp: "OPENAI_API_KEY@api.openai.com" },
    environment: { name: "codex", from: "debian:12", packages: [], npm: [] },
    isIn: () => true,
    command: ["codex"],
    env: {},
    isOnce: true
  } as const

  /** What the command line of an agent asks a new workspace for. */
  const asked = (words: ReadonlyArray<string>, directory = "/p") =>
    Effect.gen(function*() {
      const { raw } = yield* parse(agentCommand, ["codex", "--seed-path", directory, ...words], undefined)
      const payload = yield* decode(agentCommand.cli, AgentPayload(), raw)
      const requests: Array<CreatePayload> = []
      const create = (request: CreatePayload) => {
        requests.push(request)
        return Stream.make({ _tag: "Ready", workspace: { id: "ws-1" } })
      }
      const file = yield* fromFile(payload, raw)
      yield* Effect.provideService(workspaceFor(payload, inside, file), Pyro, {
        env: { list: () => Effect.succeed({ environments: [{ name: "codex", state: "ready" }] }) },
        workspace: { create }
      } as never)
      return requests
    }).pipe(Effect.scoped, (effect) => screen(undefined).provide(effect, {}))

  it.effect("--git chooses how much of the history the workspace has, and the last commit is the default", () =>
    Effect.gen(function*() {
      for (const git of ["full", "none", "shallow"]) {
        assert.deepStrictEqual((yield* asked(["--git", git])).map((one) => one.git), [git as "full"])
      }
      assert.deepStrictEqual((yield* asked([])).map((one) => one.git), ["shallow"])
      assert.include((yield* Effect.flip(asked(["--git", "all"]))).message, "--git")
    }))

  it.effect("the project's file says sizes, variables and history, unless the person does, and no network without a grant", () =>
    Effect.gen(function*() {
      const directory = folderWith({
        "pyro.toml": "memory = \"4G\"\ncpus = 1\ncwd = \"web\"\n[env]\nCI = \"1\"\n[seed]\ngit = \"full\"\n" +
          "include_ignored = [\".env\"]\n[network]\nallow_hosts = [\"npm\"]\n"
      })
      const [found] = yield* asked([], directory)
      assert.deepInclude(found!, { memoryMib: 4096, vcpuCount: 2, cwd: "web", git: "full", includeIgnored: [] })
      assert.deepEqual(found!.env as object, { CI: "1" })
      assert.deepStrictEqual(found!.allowHosts, ["api.openai.com"])
      const [typed] = yield* asked(["--mem-mib", "1024", "--git", "none"], directory)
      assert.deepInclude(typed!, { memoryMib: 1024, git: "none" })
    }))
})

describe("pyro agent whose API cannot be reached", () => {
  const entry = (number: number, host: string, outcome: string, reason?: string) => ({ number, host, outcome, reason })

  /** Runs an agent that ends when pyro has said something, over a log whose entries come one after the other. */
  const run = (isAttached: boolean, later: ReadonlyArray<ReturnType<typeof entry>>) =>
    Effect.gen(function*() {
      const { provide, text } = screen("")
      const said = yield* Deferred.make<void>()
      const log = ({ cursor, follow }: { readonly cursor?: number; readonly follow: boolean }) =>
        Effect.suspend(() => {
          const entries = follow
            ? later.filter(({ number }) => number > (cursor ?? 0)).slice(0, 1)
            : [entry(1, "api.test", "failed", "old")]
          return entries.length === 0
            ? Effect.andThen(Deferred.succeed(said, undefined), Effect.never)
            : Effect.succeed({ entries })
        })
      const agent = Effect.gen(function*() {
        yield* Effect.raceFirst(
          Deferred.await(said),
          Effect.repeat(Effect.yieldNow, { until: () => text() !== "" })
        )
        return { status: 3, during: text() }
      })
      const watched = withApiWatch({ workspace: "ws-1", allowHost: "API.test:443", isAttached }, agent)
      return { ...(yield* provide(watched, { network: { log } })), text: text() }
    })

  const failing = [
    entry(2, "pypi.org", "denied"),
    entry(3, "api.test", "allowed"),
    entry(4, "api.test", "failed", "connection refused")
  ]

  it.live("the first failure is said at once, with its reason, and the agent's end stays its own", () =>
    Effect.gen(function*() {
      const { during, status, text } = yield* run(false, failing)
      assert.strictEqual(status, 3)
      assert.strictEqual(
        during,
        "pyro: api.test cannot be reached: connection refused. See: pyro network log ws-1\n"
      )
      assert.strictEqual(text, during)
    }))

  it.live("on a full screen it stands in the first line, and again after the end", () =>
    Effect.gen(function*() {
      const { during, text } = yield* run(true, failing)
      assert.match(during, /^\u001b7\u001b\[1;1H.* pyro: api\.test cannot be reached: connection refused.*\u001b8$/)
      assert.include(text.slice(during.length), "connection refused. See: pyro network log ws-1\n")
    }))

  it.live("an API that is reached, and failures of other hosts, say nothing", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(false, failing.slice(0, 2))).text, "")
    }))
})
