import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import { callFromPull, type PullEvents } from "../../../src/contract/rows/event-batches.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { workspaceShellAttach } from "../../../src/contract/rows/workspace-attach.ts"
import { holdHeader } from "../../../src/contract/wire/hold.ts"
import { HELLO, RELEASE } from "../../../src/contract/wire/rpcs.ts"
import { makeHolds } from "../../../src/daemon/server/holds.ts"
import { connect, socketTo } from "../../../src/sdk/connection/connection.ts"
import type { Connection } from "../../../src/sdk/connection/over.ts"
import { newRequestId } from "../../../src/system/processes/identity.ts"
import { servePyro } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { until } from "../../support/until.ts"

const MIB = 1024 * 1024
const EVENTS = 100

/** A daemon whose `list` waits for its permission, and whose shell prints numbers. */
const served = Effect.gen(function*() {
  const seen = { begun: 0, ended: 0, pulled: 0 }
  const mayAnswer = Deferred.makeUnsafe<void>()
  const work = <A, E, R>(run: Effect.Effect<A, E, R>) =>
    Effect.ensuring(
      Effect.andThen(Effect.sync(() => void seen.begun++), run),
      Effect.sync(() => void seen.ended++)
    )
  const service = {
    ...unfakedPyro,
    workspace: {
      ...unfakedPyro.workspace,
      list: () => work(Effect.andThen(Deferred.await(mayAnswer), Effect.succeed({ workspaces: [] }))),
      shell: {
        ...unfakedPyro.workspace.shell,
        attach: callFromPull(() =>
          Effect.gen(function*() {
            seen.begun++
            yield* Effect.addFinalizer(() => Effect.sync(() => void seen.ended++))
            let at = 0
            return () =>
              at === EVENTS ? Effect.fail(Option.none()) : Effect.sync(() => {
                seen.pulled++
                return [{ _tag: "Output", bytes: Uint8Array.of(at++) }]
              })
          })
        )
      }
    }
  } as unknown as PyroService
  const { socket } = yield* servePyro(service)
  return { seen, mayAnswer, line: connect(socketTo(socket)) }
})

const list = (client: Connection, headers: Readonly<Record<string, string>>) =>
  client.ask("workspace.list", { labels: {} }, headers)

const attached = (client: Connection, headers: Readonly<Record<string, string>>) =>
  client.events(
    workspaceShellAttach,
    { workspace: "w", shellId: "s", detachKey: "none", raw: false },
    headers
  )

const numbers = (events: ReadonlyArray<unknown>) => events.map((event) => (event as { bytes: Uint8Array }).bytes[0]!)

/** The failure of the request, by its name. */
const refused = (asked: Effect.Effect<unknown, unknown>) =>
  Effect.map(Effect.flip(asked), (failure) => {
    const { _tag, field, isForgotten } = failure as {
      readonly _tag: string
      readonly field?: string
      readonly isForgotten?: boolean
    }
    return isForgotten === true ? "forgotten" : field === undefined ? _tag : `${_tag} of ${field}`
  })

const hold = (id: string, more: object = {}) => holdHeader({ id, seconds: 60, ...more })

describe("the header of a kept request", () => {
  it.live("a request is refused before its work if its header cannot be read", () =>
    Effect.gen(function*() {
      const { line, seen } = yield* served
      const client = yield* line
      const id = newRequestId()
      const headers = [
        "",
        "no JSON",
        "[]",
        JSON.stringify({ id }),
        JSON.stringify({ id, seconds: 0 }),
        JSON.stringify({ id, seconds: 601 }),
        JSON.stringify({ id, seconds: 1e300 }),
        JSON.stringify({ id, seconds: 1.5 }),
        JSON.stringify({ id, seconds: "60" }),
        JSON.stringify({ id: id.slice(1), seconds: 60 }),
        JSON.stringify({ id: id.toUpperCase().replace(/\d/g, "A"), seconds: 60 }),
        JSON.stringify({ id, seconds: 60, had: -1 }),
        JSON.stringify({ id, seconds: 60, attempt: -1 }),
        JSON.stringify({ id, seconds: 60, again: 5 })
      ]
      for (const header of headers) {
        const given = { "pyro-hold": header }
        assert.strictEqual(yield* refused(list(client, given)), "InvalidRequest of pyro-hold", header)
        const pull = yield* attached(client, given)
        assert.strictEqual(
          yield* refused(Effect.mapError(pull(), Option.getOrThrow)),
          "InvalidRequest of pyro-hold",
          header
        )
      }
      assert.strictEqual(seen.begun, 0)
    }))

  it.live("a request that claims events of unknown work begins nothing", () =>
    Effect.gen(function*() {
      const { line, seen } = yield* served
      const client = yield* line
      const { daemonId } = (yield* client.ask(HELLO, undefined)) as { daemonId: string }
      const pull = yield* attached(client, hold(newRequestId(), { again: daemonId, attempt: 1, had: 7 }))
      assert.strictEqual(yield* refused(Effect.mapError(pull(), Option.getOrThrow)), "forgotten")
      const other = hold(newRequestId(), { again: "another daemon", attempt: 1 })
      assert.strictEqual(yield* refused(list(client, other)), "forgotten")
      assert.strictEqual(seen.begun, 0)
    }))

  it.live("a request that never came is begun by its second attempt", () =>
    Effect.gen(function*() {
      const { line, mayAnswer, seen } = yield* served
      const client = yield* line
      yield* Deferred.succeed(mayAnswer, undefined)
      const { daemonId } = (yield* client.ask(HELLO, undefined)) as { daemonId: string }
      yield* list(client, hold(newRequestId(), { again: daemonId, attempt: 1 }))
      assert.strictEqual(seen.begun, 1)
    }))
})

describe("kept work", () => {
  it.live("is of one attempt at a time, the newest", () =>
    Effect.gen(function*() {
      const { line, mayAnswer, seen } = yield* served
      const [first, second, third] = [yield* line, yield* line, yield* line]
      const id = newRequestId()
      const one = yield* Effect.forkChild(refused(list(first, hold(id))))
      yield* until(() => seen.begun === 1)
      // The same attempt on another line.
      assert.strictEqual(yield* refused(list(second, hold(id))), "forgotten")
      const last = yield* Effect.forkChild(list(second, hold(id, { attempt: 2 })))
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* Fiber.join(one), "forgotten")
        // An attempt that comes late, from a line that was silent.
        assert.strictEqual(yield* refused(list(third, hold(id, { attempt: 1 }))), "forgotten")
      })
      yield* Deferred.succeed(mayAnswer, undefined)
      assert.deepStrictEqual(yield* Fiber.join(last), { workspaces: [] })
      assert.deepStrictEqual(seen, { begun: 1, ended: 1, pulled: 0 })
    }))

  it.live("of one operation is not given to another", () =>
    Effect.gen(function*() {
      const { line, mayAnswer, seen } = yield* served
      const client = yield* line
      const id = newRequestId()
      const asked = yield* Effect.forkChild(list(client, hold(id)))
      yield* until(() => seen.begun === 1)
      const pull = yield* attached(client, hold(id, { attempt: 1 }))
      assert.strictEqual(
        yield* refused(Effect.mapError(pull(), Option.getOrThrow)),
        "InvalidRequest of pyro-hold"
      )
      yield* Deferred.succeed(mayAnswer, undefined)
      yield* Fiber.join(asked)
      assert.deepStrictEqual(seen, { begun: 1, ended: 1, pulled: 0 })
    }))

  it.live("is not lost to a claim of more events than were sent, or of fewer than were confirmed", () =>
    Effect.gen(function*() {
      const { line, seen } = yield* served
      const [first, second] = [yield* line, yield* line]
      const id = newRequestId()
      const pull = yield* attached(first, hold(id))
      const got = numbers(yield* pull())
      for (const had of [EVENTS + 1, 2 ** 50]) {
        const liar = yield* attached(second, hold(id, { attempt: 1, had }))
        assert.strictEqual(yield* refused(Effect.mapError(liar(), Option.getOrThrow)), "forgotten")
      }
      const rest: (sofar: Array<number>) => Effect.Effect<Array<number>> = (sofar) =>
        Effect.matchEffect(pull() as ReturnType<PullEvents<unknown, unknown>>, {
          onFailure: () => Effect.succeed(sofar),
          onSuccess: (events) => rest([...sofar, ...numbers(events)])
        })
      assert.deepStrictEqual(yield* rest(got), Array.from({ length: EVENTS }, (_, at) => at))
      const late = yield* attached(second, hold(id, { attempt: 1, had: 0 }))
      assert.strictEqual(yield* refused(Effect.mapError(late(), Option.getOrThrow)), "forgotten")
      assert.deepStrictEqual(seen, { begun: 1, ended: 1, pulled: EVENTS })
    }))

  it.live("is not begun after its release, which may overtake a request of a silent line", () =>
    Effect.gen(function*() {
      const { line, seen } = yield* served
      const client = yield* line
      const id = newRequestId()
      yield* client.ask(RELEASE, { hold: id })
      yield* client.ask(RELEASE, { hold: id })
      assert.strictEqual(yield* refused(list(client, hold(id))), "forgotten")
      assert.strictEqual(seen.begun, 0)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(client.ask(RELEASE, { hold: "all" }))))
    }))

  it.live("ends at its release by another connection, and its request is over", () =>
    Effect.gen(function*() {
      const { line, seen } = yield* served
      const [first, second] = [yield* line, yield* line]
      const id = newRequestId()
      const asked = yield* Effect.forkChild(refused(list(first, hold(id))))
      yield* until(() => seen.begun === 1)
      yield* second.ask(RELEASE, { hold: id })
      assert.strictEqual(seen.ended, 1)
      assert.strictEqual(yield* Fiber.join(asked), "ConnectionLost")
      assert.strictEqual(yield* refused(list(second, hold(id, { attempt: 1 }))), "forgotten")
    }))
})

describe("the memory of kept requests", () => {
  it.live("has a bounded number of them: work of more ends with its connection, and the rest after its time", () =>
    Effect.scoped(Effect.gen(function*() {
      const holds = yield* makeHolds
      const seen = { begun: 0, ended: 0 }
      const work = Effect.andThen(Effect.sync(() => void seen.begun++), Effect.never).pipe(
        Effect.ensuring(Effect.sync(() => void seen.ended++))
      )
      const ids = Array.from({ length: 4_200 }, () => newRequestId())
      const asked = yield* Effect.forEach(
        ids,
        (id) => Effect.forkChild(Effect.scoped(holds.ask("a", { id, seconds: 1 }, work)))
      )
      yield* until(() => seen.begun === ids.length)
      // Without the mark of a client that ends them: lost connections.
      yield* Effect.forEach(asked, Fiber.interrupt)
      assert.isAtLeast(seen.ended, ids.length - 4_096)
      yield* until(() => seen.ended === ids.length)
    })))

  it.live("has room for a bounded number of bytes: the oldest answers go", () =>
    Effect.scoped(Effect.gen(function*() {
      const holds = yield* makeHolds
      const answer = new Uint8Array(100 * MIB)
      const ids = [newRequestId(), newRequestId(), newRequestId(), newRequestId()]
      const ask = (id: string, attempt: number) =>
        Effect.scoped(holds.ask("a", { id, seconds: 60, attempt }, Effect.succeed(answer)))
      yield* Effect.forEach(ids, (id) => ask(id, 0))
      const kept = yield* Effect.forEach(ids, (id) => Effect.map(Effect.exit(ask(id, 1)), Exit.isSuccess))
      assert.deepStrictEqual(kept, [false, false, true, true])
    })))

  it.live("a request whose id it has lost is not begun again", () =>
    Effect.scoped(Effect.gen(function*() {
      const holds = yield* makeHolds
      let begun = 0
      const begin = (id: string, more: object = {}) =>
        Effect.scoped(
          holds.ask("a", { id, seconds: 60, ...more }, Effect.sync(() => void begun++))
        )
      const daemonId = holds.daemonId()
      const first = newRequestId()
      for (let at = 0; at < 4_096; at++) {
        yield* Effect.forkScoped(Effect.scoped(holds.ask("a", { id: newRequestId(), seconds: 60 }, Effect.never)))
      }
      yield* Effect.yieldNow
      // No room: each of these is forgotten at once.
      yield* begin(first)
      for (let at = 0; holds.daemonId() === daemonId; at++) yield* begin(newRequestId())
      const before = begun
      const again = { again: daemonId, attempt: 1 }
      assert.strictEqual((yield* Effect.flip(begin(first, again)))._tag, "RequestForgotten")
      assert.strictEqual(begun, before)
    })), 60_000)
})
