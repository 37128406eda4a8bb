import { Cause, Deferred, Effect, Exit, Fiber, Option, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { assert, describe, it } from "vitest"
import { annotateStep, asStep } from "../../../../src/system/telemetry/spans.ts"
import { makeTimings, MAX_KEPT, type SpanExporter } from "../../../../src/system/telemetry/timings.ts"

/** An operation of the daemon. */
const operation = (name: string) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.withSpan(work, name, { kind: "server", root: true })

const sleep = (ms: number) => Effect.andThen(Effect.forkChild(TestClock.adjust(ms)), Effect.sleep(ms))

const run = <A, E>(work: Effect.Effect<A, E>) => Effect.runPromise(Effect.provide(work, TestClock.layer()))

describe("timings", () => {
  it("timings keep a slow operation with its steps, their depth, start, duration, outcome and attributes", () =>
    run(Effect.gen(function*() {
      const { slow, tracer } = makeTimings()
      yield* Effect.gen(function*() {
        yield* annotateStep("workspace", "ws-1")
        yield* sleep(10)
        yield* Effect.andThen(sleep(20), sleep(70).pipe(asStep("inner", { bytes: 7 }))).pipe(asStep("outer"))
        yield* Effect.ignore(Effect.fail({ code: "no_space" }).pipe(asStep("refused")))
      }).pipe(operation("workspace.create"), Effect.withTracer(tracer))
      const [one, ...others] = yield* slow(10)
      assert.deepStrictEqual(others, [])
      assert.deepInclude(one, { operation: "workspace.create", durationMs: 100, outcome: "ok", omittedSteps: 0 })
      assert.deepEqual(one!.attributes, { workspace: "ws-1" })
      assert.deepEqual(one!.steps, [
        { name: "outer", depth: 0, startMs: 10, durationMs: 90, outcome: "ok", attributes: {} },
        { name: "inner", depth: 1, startMs: 30, durationMs: 70, outcome: "ok", attributes: { bytes: 7 } },
        { name: "refused", depth: 0, startMs: 100, durationMs: 0, outcome: "no_space", attributes: {} }
      ])
    })))

  it("timings keep the last slow operations, newest first, without fast or excluded ones and the daemon's own work", () =>
    run(Effect.gen(function*() {
      const { slow, tracer } = makeTimings({ isKept: (name) => name !== "workspace.exec" })
      yield* Effect.gen(function*() {
        for (let at = 0; at < MAX_KEPT + 5; at++) yield* operation(`op-${at}`)(sleep(100))
        yield* operation("fast")(sleep(99))
        yield* operation("workspace.exec")(sleep(1000))
        yield* sleep(1000).pipe(asStep("fill the pool"))
      }).pipe(Effect.withTracer(tracer))
      const names = (yield* slow(1000)).map(({ operation }) => operation)
      assert.strictEqual(names.length, MAX_KEPT)
      assert.strictEqual(names[0], `op-${MAX_KEPT + 4}`)
      assert.strictEqual(names.at(-1), "op-5")
      assert.strictEqual((yield* slow(2)).length, 2)
    })))

  it("timings show a step that outlives its operation as running, and leave out steps that start after it", () =>
    run(Effect.gen(function*() {
      const { slow, tracer } = makeTimings()
      const mayEnd = yield* Deferred.make<void>()
      const later = yield* Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(
          Effect.andThen(Deferred.await(mayEnd).pipe(asStep("first")), Effect.void.pipe(asStep("second")))
        )
        yield* sleep(100)
        return fiber
      }).pipe(operation("op"), Effect.withTracer(tracer))
      assert.deepEqual((yield* slow(1))[0]!.steps.map(({ name, outcome }) => [name, outcome]), [["first", "running"]])
      yield* Deferred.succeed(mayEnd, undefined)
      yield* Fiber.join(later)
      assert.deepEqual((yield* slow(1))[0]!.steps.map(({ name, outcome }) => [name, outcome]), [["first", "ok"]])
    })))

  it("timings count the steps beyond an operation's limit", () =>
    run(Effect.gen(function*() {
      const { slow, tracer } = makeTimings()
      yield* Effect.andThen(
        Effect.forEach(Array.from({ length: 600 }), () => Effect.void.pipe(asStep("one")), { discard: true }),
        sleep(100)
      ).pipe(operation("op"), Effect.withTracer(tracer))
      const [one] = yield* slow(1)
      assert.strictEqual(one!.steps.length, 512)
      assert.strictEqual(one!.omittedSteps, 88)
    })))
})

/** An exporter that keeps what it is told. */
const exporterTo = (spans: Array<Tracer.Span & { ended?: Exit.Exit<unknown, unknown> }>, samples = () => true) => {
  let id = 0
  const tracer = Tracer.make({
    span: ({ annotations, kind, links, name, parent, startTime }) => {
      const span = {
        _tag: "Span" as const,
        name,
        parent,
        annotations,
        kind,
        links,
        spanId: `span-${id++}`,
        traceId: Option.match(parent, { onNone: () => `trace-${id}`, onSome: ({ traceId }) => traceId }),
        sampled: true,
        status: { _tag: "Started" as const, startTime },
        attributes: new Map<string, unknown>(),
        ended: undefined as unknown as Exit.Exit<unknown, unknown>,
        attribute: (key: string, value: unknown) => void span.attributes.set(key, value),
        event: () => {},
        addLinks: () => {},
        end: (_: bigint, exit: Exit.Exit<unknown, unknown>) => void (span.ended = exit)
      }
      spans.push(span)
      return span
    }
  })
  return { tracer, samples } satisfies SpanExporter
}

describe("timings with an exporter of spans", () => {
  it("timings create the span of an operation that they do not keep only with an exporter", () => {
    const isKept = (name: string) => name !== "workspace.exec"
    const alone = makeTimings({ isKept })
    assert.isFalse(alone.wants("workspace.exec"))
    assert.isTrue(alone.wants("workspace.create"))
    assert.isTrue(makeTimings({ isKept, exporter: exporterTo([]) }).wants("workspace.exec"))
  })

  it("timings export every span with its parent", () =>
    run(Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const { tracer } = makeTimings({ exporter: exporterTo(spans) })
      yield* Effect.void.pipe(asStep("inner"), asStep("outer"), operation("op"), Effect.withTracer(tracer))
      assert.deepEqual(spans.map(({ name }) => name), ["op", "outer", "inner"])
      const parents = spans.map(({ parent }) => Option.getOrUndefined(Option.map(parent, ({ spanId }) => spanId)))
      assert.deepEqual(parents, [undefined, "span-0", "span-1"])
      assert.strictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
    })))

  it("timings export the code of an error and nothing else of it", () =>
    run(Effect.gen(function*() {
      const spans: Array<Tracer.Span & { ended?: Exit.Exit<unknown, unknown> }> = []
      const { tracer } = makeTimings({ exporter: exporterTo(spans) })
      const failure = Object.assign(new Error("cannot open /home/me/secret"), { code: "file_refused" })
      yield* Effect.ignore(Effect.fail(failure).pipe(operation("op"), Effect.withTracer(tracer)))
      yield* Effect.exit(Effect.die(failure).pipe(operation("op"), Effect.withTracer(tracer)))
      const told = spans.map(({ ended }) =>
        Exit.isExit(ended) && Exit.isFailure(ended)
          ? Cause.prettyErrors(ended.cause, { includeCauseInStack: true }).map(({ stack }) => stack).join()
          : ""
      )
      assert.include(told[0], "file_refused")
      assert.include(told[1], "defect")
      assert.notInclude(told.join(), "secret")
    })))

  it("timings export all spans of a sampled operation and none of another", () =>
    run(Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      let wanted = false
      const { tracer } = makeTimings({ exporter: exporterTo(spans, () => (wanted = !wanted)) })
      for (const name of ["a", "b", "c"]) {
        yield* Effect.void.pipe(asStep(`${name} step`), operation(name), Effect.withTracer(tracer))
      }
      assert.deepEqual(spans.map(({ name }) => name), ["a", "a step", "c", "c step"])
    })))
})
