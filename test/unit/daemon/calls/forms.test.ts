import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { InvalidRequest, WorkspaceNotFound } from "../../../../src/contract/errors/errors.ts"
import { pullFromStream } from "../../../../src/contract/rows/event-batches.ts"
import { operations } from "../../../../src/contract/rows/operations.ts"
import { type AnyCall, demanding, failing } from "../../../../src/daemon/calls/answer/call.ts"

const rowOf = (kind: "unary" | "streaming") => operations.find((row) => row.kind === kind)!
const lost = new WorkspaceNotFound({ workspace: "fix", similar: [] })
const refused = new InvalidRequest({ field: "quota", detail: "is used up" })

/** A call of each form that counts its starts and then fails. */
const calls = () => {
  let starts = 0
  const fails = Effect.suspend(() => {
    starts++
    return Effect.fail(lost)
  })
  const events = () => Stream.fromEffect(fails)
  const forms = {
    answer: () => fails,
    events,
    pull: Object.assign(events, { pull: () => pullFromStream(events()) })
  } satisfies Readonly<Record<string, AnyCall>>
  return { forms, starts: () => starts }
}

/** The error of a call, in whichever form. */
const errorOf = (call: AnyCall) => {
  if (call.pull !== undefined) {
    const pulled = Effect.flatMap(call.pull({}), (next) => Effect.mapError(next(), Option.getOrThrow))
    return Effect.flip(Effect.scoped(pulled))
  }
  const work = call({})
  return Effect.flip(Effect.isEffect(work) ? work : Stream.runDrain(work))
}

describe("a line around answers, for each form of a call", () => {
  for (const form of ["answer", "events", "pull"] as const) {
    const row = rowOf(form === "answer" ? "unary" : "streaming")

    it.effect(`a demand refuses a call with ${form} before the call starts`, () =>
      Effect.gen(function*() {
        const { forms, starts } = calls()
        assert.strictEqual(yield* errorOf(demanding(row, forms[form], () => Effect.fail(refused))), refused)
        assert.strictEqual(starts(), 0)
        assert.strictEqual(yield* errorOf(demanding(row, forms[form], () => Effect.void)), lost)
        assert.strictEqual(starts(), 1)
      }))

    it.effect(`a line changes the error of a call with ${form}`, () =>
      Effect.gen(function*() {
        const { forms } = calls()
        assert.strictEqual(yield* errorOf(failing(row, forms[form], () => refused)), refused)
      }))
  }
})
