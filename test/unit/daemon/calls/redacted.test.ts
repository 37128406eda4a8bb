import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Option, Result, Stream } from "effect"
import { WorkspaceNotFound } from "../../../../src/contract/errors/errors.ts"
import { type PullEvents, pullFromStream } from "../../../../src/contract/rows/event-batches.ts"
import { type Operation, operations } from "../../../../src/contract/rows/operations.ts"
import type { AnyCall, Event, Process } from "../../../../src/daemon/calls/answer/call.ts"
import { answerOf } from "../../../../src/daemon/calls/list.ts"
import { secretSet } from "../../../../src/lib/redaction/secrets.ts"

const SECRET = "correct-horse-battery"

const secrets = secretSet([{ name: "TOKEN", value: SECRET }])!

const process: Process = {
  secretsOf: () => Effect.succeed([secrets]),
  demandRoom: Effect.void,
  failNamed: (failure) => Effect.fail(failure),
  ofRecipes: (_, call) => call
}

const leaking = { text: SECRET, deep: [{ [SECRET]: Buffer.from(`a ${SECRET} b`) }] }
const failure = new WorkspaceNotFound({ workspace: SECRET, similar: [] })
const plain = new Error("nothing to hide")

/** Every cause with which work may end. A cause of several fibers has several reasons. */
const causes: Readonly<Record<string, Cause.Cause<WorkspaceNotFound>>> = {
  "a failure": Cause.fail(failure),
  "a defect": Cause.die(new Error(`no file ${SECRET}`)),
  "a defect that is data": Cause.die(leaking),
  "the reason of a defect": Cause.die(new Error("failed", { cause: leaking })),
  "a defect whose message is a getter": Cause.die(
    Object.defineProperty(new Error(""), "message", { get: () => SECRET })
  ),
  "the second of two defects": Cause.fromReasons([
    ...Cause.die(plain).reasons,
    ...Cause.die(new Error(SECRET)).reasons
  ]),
  "a failure beside a defect": Cause.fromReasons([...Cause.die(plain).reasons, ...Cause.fail(failure).reasons]),
  "a failure beside a defect with a secret": Cause.fromReasons<WorkspaceNotFound>([
    ...Cause.fail(failure).reasons,
    ...Cause.die(new Error(SECRET)).reasons
  ])
}

/** All text of a value: also what JSON leaves out of errors. */
const textOf = (value: unknown, depth = 0): string => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1")
  if (typeof value !== "object" || value === null || depth > 12) return String(value)
  const own = Object.entries(Object.getOwnPropertyDescriptors(value))
    .map(([name, property]) => `${name} ${textOf(property.value, depth + 1)}`)
  return [value instanceof Error ? String(value) : "", ...own].join("\n")
}

const assertWithout = (row: Operation, what: string, value: unknown) =>
  assert.notInclude(textOf(value), SECRET, `${row.name}: ${what}`)

/** A call that ends with the events and the cause, in each form that the row has. */
const callsWith = (
  row: Operation,
  answer: unknown,
  cause: Cause.Cause<WorkspaceNotFound> | undefined
): ReadonlyArray<AnyCall> => {
  const end = cause === undefined ? undefined : Effect.failCause(cause)
  if (row.kind === "unary") return [() => end ?? Effect.succeed(answer)]
  const one: Event = { _tag: "Told", ...(answer as object) }
  const events = () =>
    end === undefined ? Stream.make(one, one) : Stream.concat(Stream.make(one), Stream.fromEffect(end))
  const refused: AnyCall = Object.assign(events, {
    pull: () => end ?? pullFromStream(events())
  })
  return [events, Object.assign(() => events(), { pull: () => pullFromStream(events()) }), refused]
}

/** All that a caller gets of a call. */
const gotOf = (row: Operation, call: AnyCall) =>
  Effect.gen(function*() {
    const got: Array<unknown> = []
    const drained = (next: PullEvents<Event>) =>
      Effect.forever(Effect.tap(next(), (events) => Effect.sync(() => got.push(...events)))).pipe(
        Effect.catchCause((cause) => Effect.sync(() => void got.push(cause)))
      )
    const work = call({})
    const answered = Effect.isEffect(work)
      ? Effect.map(work, (answer) => void got.push(answer))
      : Stream.runForEach(work, (event) => Effect.sync(() => void got.push(event)))
    yield* Effect.catchCause(answered, (cause) => Effect.sync(() => void got.push(cause)))
    if (call.pull !== undefined) {
      yield* Effect.scoped(Effect.flatMap(call.pull({}), drained)).pipe(
        Effect.catchCause((cause) => Effect.sync(() => void got.push(cause)))
      )
    }
    assert.isAbove(got.length, 0, row.name)
    return got
  })

describe("what leaves pyro", () => {
  it.effect("an answer and an event of each operation have no secret", () =>
    Effect.gen(function*() {
      for (const row of operations) {
        for (const call of callsWith(row, leaking, undefined)) {
          assertWithout(row, "an answer", yield* gotOf(row, answerOf(row, call, process)))
        }
      }
    }))

  for (const [what, cause] of Object.entries(causes)) {
    it.effect(`${what} of each operation has no secret`, () =>
      Effect.gen(function*() {
        for (const row of operations) {
          for (const call of callsWith(row, {}, cause)) {
            assertWithout(row, what, yield* gotOf(row, answerOf(row, call, process)))
          }
        }
      }))
  }

  it.effect("an error keeps its class, and a defect that is an error its kind", () =>
    Effect.gen(function*() {
      const row = operations.find(({ kind }) => kind === "unary")!
      const causeOf = (cause: Cause.Cause<WorkspaceNotFound>) => {
        const work = answerOf(row, () => Effect.failCause(cause), process)({})
        assert.isTrue(Effect.isEffect(work))
        return Effect.flip(Effect.sandbox(work as Effect.Effect<unknown, WorkspaceNotFound>))
      }
      const failed = yield* causeOf(Cause.fail(failure))
      assert.instanceOf(Option.getOrThrow(Cause.findErrorOption(failed)), WorkspaceNotFound)
      const died = yield* causeOf(Cause.die(new TypeError(`no file ${SECRET}`)))
      assert.instanceOf(Result.getOrThrow(Cause.findDefect(died)), TypeError)
    }))
})
