import { Effect, Exit, Option, Scope, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { WorkspaceNotFound } from "../../../../src/contract/errors/errors.ts"
import { pullFromStream } from "../../../../src/contract/rows/event-batches.ts"
import { operations } from "../../../../src/contract/rows/operations.ts"
import { type AnyEvent, observe, observeEvents } from "../../../../src/daemon/calls/request/observe.ts"
import { readMetrics } from "../../../../src/system/telemetry/metrics.ts"

const rowOf = (name: string) => operations.find((row) => row.name === name)!
const notFound = new WorkspaceNotFound({ workspace: "w", similar: [] })

const counts = (operation: string) =>
  Effect.map(readMetrics, (metrics) =>
    new Map(
      metrics.operations.filter((one) => one.operation === operation).map(({ count, outcome }) => [outcome, count])
    ))

/** Outcomes that `work` adds to those of an operation. */
const added = <A>(operation: string, work: Effect.Effect<A>) =>
  Effect.gen(function*() {
    const before = yield* counts(operation)
    yield* work
    const after = yield* counts(operation)
    return [...after].flatMap(([outcome, count]) => count === before.get(outcome) ? [] : [outcome])
  })

const output: AnyEvent = { _tag: "Output", bytes: new Uint8Array(5) }

/** Pulls all events, then closes the Scope. */
const drained = (events: Stream.Stream<AnyEvent, WorkspaceNotFound>, operation = "workspace.reset") =>
  Effect.scoped(Effect.gen(function*() {
    const pull = yield* observeEvents(rowOf(operation))(pullFromStream(events))
    let failure = Option.none<Option.Option<unknown>>()
    while (Option.isNone(failure)) failure = yield* Effect.option(Effect.flip(pull()))
  }))

describe("an operation that the daemon observes", () => {
  it("the daemon counts an operation with its outcome: ok, the code of an error, or defect", () =>
    Effect.gen(function*() {
      const unary = (work: Effect.Effect<unknown, unknown>) =>
        added("workspace.list", Effect.exit(observe(rowOf("workspace.list"))(work)))
      assert.deepStrictEqual(yield* unary(Effect.void), ["ok"])
      assert.deepStrictEqual(yield* unary(notFound), ["workspace_not_found"])
      assert.deepStrictEqual(yield* unary(Effect.die("a defect")), ["defect"])
      assert.deepStrictEqual(yield* unary(Effect.interrupt), ["interrupted"])
    }).pipe(Effect.runPromise))

  it("the daemon counts an operation with events once, at its last event", () =>
    Effect.gen(function*() {
      const streaming = (events: Stream.Stream<AnyEvent, WorkspaceNotFound>) =>
        added("workspace.reset", drained(events))
      assert.deepStrictEqual(yield* streaming(Stream.make(output, output)), ["ok"])
      assert.deepStrictEqual(yield* streaming(Stream.concat(Stream.make(output), Stream.fail(notFound))), [
        "workspace_not_found"
      ])
    }).pipe(Effect.runPromise))

  it("an operation with events is interrupted if its Scope closes early, and not by an interrupted pull", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pull = yield* observeEvents(rowOf("workspace.reset"))(pullFromStream(Stream.never)).pipe(
        Scope.provide(scope)
      )
      assert.deepStrictEqual(
        yield* added("workspace.reset", Effect.timeoutOption(Effect.ignore(pull()), "5 millis")),
        []
      )
      assert.deepStrictEqual(yield* added("workspace.reset", Scope.close(scope, Exit.void)), ["interrupted"])
    }).pipe(Effect.runPromise))

  it("the daemon counts an operation that cannot start with its error", () =>
    Effect.gen(function*() {
      const start = observeEvents(rowOf("workspace.reset"))(Effect.fail(notFound))
      assert.deepStrictEqual(yield* added("workspace.reset", Effect.scoped(Effect.exit(start))), [
        "workspace_not_found"
      ])
    }).pipe(Effect.runPromise))

  it("an operation is ok if its caller leaves with the result before the end", () =>
    Effect.gen(function*() {
      const leaves = Effect.scoped(Effect.flatMap(
        observeEvents(rowOf("workspace.exec"))(
          pullFromStream(Stream.concat(Stream.make(output, { _tag: "Exited" }), Stream.never))
        ),
        (pull) => Effect.ignore(pull())
      ))
      assert.deepStrictEqual(yield* added("workspace.exec", leaves), ["ok"])
    }).pipe(Effect.runPromise))

  it("the daemon adds the output of commands to the transferred bytes, and not that of exports", () =>
    Effect.gen(function*() {
      const before = yield* readMetrics
      yield* drained(Stream.make(output, output, { _tag: "Exited" }), "workspace.exec")
      yield* drained(Stream.make(output), "workspace.export")
      assert.strictEqual((yield* readMetrics).bytes.output - before.bytes.output, 10)
    }).pipe(Effect.runPromise))
})
