import { Deferred, Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { EnvironmentBuildFailed } from "../../src/contract/errors/errors.ts"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import type { RunEvent } from "../../src/contract/rows/run.ts"
import { makePending } from "../../src/mcp/pending.ts"
import { lapse } from "../support/until.ts"
import { call, fakePyro, textOf } from "./fakes.ts"
import { info, succeeds } from "./results.ts"

const building = { _tag: "Notice" as const, level: "progress" as const, message: "unpacking packages", fraction: 0.4 }

/** Creates that wait until they are let go, numbered, with those that began and were ended. */
const slowly = () => {
  const begun: Array<string> = []
  const ended: Array<string> = []
  const go = Effect.runSync(Deferred.make<void, EnvironmentBuildFailed>())
  const create: PyroService["workspace"]["create"] = ({ name = "" }) => {
    const id = `ws-${String(begun.push(name)).padStart(10, "0")}`
    const ready = Effect.as(Deferred.await(go), { _tag: "Ready" as const, workspace: { ...info, id } })
    return Stream.concat(Stream.make(building), Stream.fromEffect(ready)).pipe(
      Stream.onExit((exit) => Effect.sync(() => void (exit._tag === "Failure" && ended.push(id))))
    )
  }
  return { begun, ended, go, pyro: fakePyro({ create }) }
}

describe("a workspace_create that must first build its environment", () => {
  it("workspace_create returns the progress of a build in time, and a repeated call joins the build", async () => {
    const { begun, go, pyro } = slowly()
    const pending = makePending(20)
    const create = (args: object = {}) => call(pyro, "workspace_create", { name: "fix", ...args }, { pending })
    for (let times = 0; times < 3; times++) {
      // Gemini CLI's own argument, and one that is absent, make no other call of it.
      const { content: [told], isError, ...rest } = await create(
        times === 2 ? { wait_for_previous: true, labels: null } : {}
      )
      assert.match(
        told.text,
        /^not_ready_yet: workspace_create .* goes on: unpacking packages, 40 %\nhint: call workspace_create again/
      )
      assert.isTrue(isError)
      assert.notProperty(rest, "structuredContent")
    }
    Effect.runSync(Deferred.succeed(go, undefined))
    const made = succeeds("workspace_create", await create()) as unknown as {
      readonly workspace: { readonly id: string }
    }
    assert.strictEqual(made.workspace.id, "ws-0000000001")
    assert.deepStrictEqual(begun, ["fix"])
    // It was handed over: the next call is a new one.
    await create()
    assert.lengthOf(begun, 2)
  })

  it("only equal calls join a pending create, and each gets one workspace", async () => {
    const { begun, go, pyro } = slowly()
    const pending = makePending(20)
    const create = (args: Readonly<Record<string, unknown>>) => call(pyro, "workspace_create", args, { pending })
    await Promise.all([create({}), create({}), create({ name: "other" })])
    assert.lengthOf(begun, 3)
    Effect.runSync(Deferred.succeed(go, undefined))
    const made = await Promise.all([create({}), create({}), create({ name: "other" })])
    assert.lengthOf(begun, 3)
    assert.lengthOf(new Set(made.map((one) => JSON.stringify(one.structuredContent?.["workspace"]))), 3)
  })

  it("the call that joins a failed build gets the failure", async () => {
    const { go, pyro } = slowly()
    const pending = makePending(20)
    await call(pyro, "workspace_create", {}, { pending })
    const failure = new EnvironmentBuildFailed({ environment: "debian:12", step: "download", detail: "no route" })
    Effect.runSync(Deferred.fail(go, failure))
    assert.match(textOf(await call(pyro, "workspace_create", {}, { pending })), /^environment_build_failed: .*no route/)
  })

  it("cancelling the waiting call ends the pending create", async () => {
    const { begun, ended, pyro } = slowly()
    const pending = makePending(60_000)
    const giveUp = new AbortController()
    const waiting = call(pyro, "workspace_create", {}, { pending, signal: giveUp.signal })
    while (begun.length < 1) await new Promise((resolve) => setImmediate(resolve))
    giveUp.abort()
    await waiting.then(() => assert.fail("it was answered"), () => undefined)
    assert.deepStrictEqual(ended, ["ws-0000000001"])
  })
})

describe("a vm_run", () => {
  const run = (events: Stream.Stream<never>, started: boolean) => ({
    ...fakePyro({}),
    run: () => {
      const begin = Stream.make<[RunEvent]>(started ? { _tag: "Started", bootMs: 1 } : building)
      const durations = { totalMs: 1, bootMs: 0, commandMs: 1 }
      const exited: RunEvent = { _tag: "Exited", outcome: "exited", status: 0, durations }
      return Stream.concat(begin, Stream.concat(events, Stream.make(exited)))
    }
  })
  const later = Stream.fromEffect(lapse(200)).pipe(Stream.drain)

  it("vm_run returns while its environment is built, and waits once its command runs", async () => {
    const pending = makePending(20)
    const left = await call(run(later, false), "vm_run", { command: "ls" }, { pending })
    assert.match(textOf(left), /^not_ready_yet: vm_run .*unpacking packages, 40 %/)
    const waited = await call(run(later, true), "vm_run", { command: "id" }, { pending })
    assert.match(textOf(waited), /^exit 0 in 1 ms/)
  })
})
