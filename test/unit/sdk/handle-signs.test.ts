import { Effect, Exit, Layer, Scope, Stream } from "effect"
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import { DaemonUnavailable, WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { isKeptAlive } from "../../../src/contract/wire/keep-alive.ts"
import { Workspace } from "../../../src/sdk/handle.ts"
import { endingSigns } from "../../../src/sdk/handle/signs.ts"
import { handleService, infoOf, rejection } from "./handle-service.ts"

/** A daemon whose creations have a time, unless they were asked for without one. It notes its requests, and whether a handle asks that keeps. */
const service = ({ configured = 0 }: { readonly configured?: number } = {}) => {
  const asked: Array<string> = []
  const failing = new Set<string>()
  const gone = new Set<string>()
  const note = (name: string) =>
    Effect.map(isKeptAlive, (isAlive) => void asked.push(isAlive ? `${name}, kept alive` : name))
  const ready = (pauseAfterSeconds: number) => ({
    _tag: "Ready" as const,
    workspace: { ...infoOf("ws-0000000001"), ...(pauseAfterSeconds === 0 ? {} : { pauseAfterSeconds }) }
  })
  const { connect, layer } = handleService(undefined, {
    create: (payload) =>
      Stream.fromEffect(Effect.gen(function*() {
        yield* note("create")
        const isDefault = payload.ttlSeconds === undefined && (yield* isKeptAlive)
        return ready(payload.pauseAfterSeconds ?? (configured !== 0 ? configured : isDefault ? 600 : 0))
      })),
    start: () => Stream.fail(new WorkspaceNotFound({ workspace: "w", similar: [] })),
    fork: () => Stream.make({ _tag: "Forked" as const, workspaces: [infoOf("ws-0000000002")] }),
    status: ({ workspace }) =>
      Effect.gen(function*() {
        yield* note(`status ${workspace}`)
        if (failing.has(workspace)) return yield* new DaemonUnavailable({ detail: "it leaves" })
        if (gone.has(workspace)) return yield* new WorkspaceNotFound({ workspace, similar: [] })
        return infoOf(workspace)
      })
  })
  return { asked, failing, gone, connect, layer }
}

const sign = "status ws-0000000001, kept alive"

describe("signs of life of a program's workspace", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const passes = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

  it("a workspace without a time of its own gets the default, and a sign three times in it", async () => {
    const { asked, connect } = service()
    const pyro = connect()
    await pyro.create()
    assert.deepStrictEqual(asked, ["create, kept alive"])
    await passes(199)
    assert.lengthOf(asked, 1)
    await passes(401)
    assert.deepStrictEqual(asked, ["create, kept alive", sign, sign, sign])
    await pyro.close()
    await passes(6_000)
    assert.lengthOf(asked, 4, "no sign comes after the close")
    assert.strictEqual(vi.getTimerCount(), 0)
  })

  it("a time of the program, or of the daemon's settings, holds without signs", async () => {
    for (const options of [{ pauseAfterMs: 600_000 }, { pauseAfterMs: 0 }, { ttlMs: 600_000 }, { keepAlive: false }]) {
      const { asked, connect } = service()
      await connect().create(options)
      await passes(6_000)
      assert.deepStrictEqual(asked, ["create"], JSON.stringify(options))
    }
    const { asked, connect } = service({ configured: 60 })
    await connect().create()
    await passes(6_000)
    assert.deepStrictEqual(asked, ["create, kept alive"])
  })

  it("`keepAlive` gives signs within the shorter of the program's times", async () => {
    const { asked, connect } = service()
    await connect().create({ keepAlive: true, ttlMs: 30_000, pauseAfterMs: 300_000 })
    await passes(20)
    assert.deepStrictEqual(asked, ["create", sign, sign])
  })

  it("`open` and forks give signs, and a deleted workspace ends them", async () => {
    const { asked, connect, gone } = service()
    const pyro = connect()
    const ws = await pyro.open("w")
    await ws.fork()
    await passes(200)
    assert.deepStrictEqual(asked, ["create, kept alive", sign, "status ws-0000000002, kept alive"])
    gone.add("ws-0000000001").add("ws-0000000002")
    await passes(200)
    assert.strictEqual(vi.getTimerCount(), 0)
  })

  it("a failed sign is followed by the next one", async () => {
    const { asked, connect, failing } = service()
    await connect().create()
    failing.add("ws-0000000001")
    await passes(400)
    assert.deepStrictEqual(asked, ["create, kept alive", sign, sign])
  })

  it("signs of a program of Effect end with its Layer", async () => {
    const { asked, layer } = service()
    const scope = Scope.makeUnsafe()
    const context = await Effect.runPromise(Layer.buildWithScope(endingSigns(layer), scope))
    await Effect.runPromise(Effect.provide(Workspace.create(), context))
    await passes(200)
    assert.deepStrictEqual(asked, ["create, kept alive", sign])
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await passes(6_000)
    assert.lengthOf(asked, 2)
  })

  it("`keepAlive` of another type is refused before any work", async () => {
    const { asked, connect } = service()
    const refused = await rejection(connect().create({ keepAlive: "yes" as never }))
    assert.deepInclude(refused, { code: "invalid_request", field: "keepAlive" })
    assert.isEmpty(asked)
  })
})
