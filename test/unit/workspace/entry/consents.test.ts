import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { WaitingExport } from "../../../../src/contract/rows/workspace-answer.ts"
import { DENIED, makeConsents } from "../../../../src/workspace/entry/consents.ts"

const asked = {
  kind: "patch",
  output: "/project/fix.patch",
  files: 1,
  changedFiles: 2,
  bytes: 300,
  digest: "d"
} as const

/** A request that waits, once it can be answered. */
const waits = (consents: ReturnType<typeof makeConsents>) =>
  Effect.gen(function*() {
    const announced: Array<WaitingExport> = []
    const fiber = yield* Effect.forkChild(
      Effect.result(consents.ask(asked, (waiting) => Effect.sync(() => void announced.push(waiting))))
    )
    while (announced.length === 0) yield* Effect.yieldNow
    return { fiber, waiting: announced[0]! }
  })

it.effect("a request waits until it is allowed, and the first answer counts", () =>
  Effect.gen(function*() {
    const consents = makeConsents()
    const { fiber, waiting } = yield* waits(consents)
    assert.deepInclude(waiting, asked)
    assert.deepStrictEqual(consents.waiting(), [waiting])
    assert.deepStrictEqual(yield* consents.answer(waiting.request, "allow"), waiting)
    const second = yield* Effect.flip(consents.answer(waiting.request, "deny"))
    assert.strictEqual(second.field, "request")
    assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
    assert.deepStrictEqual(consents.waiting(), [])
  }))

it.effect("a denied request fails", () =>
  Effect.gen(function*() {
    const consents = makeConsents()
    const { fiber, waiting } = yield* waits(consents)
    yield* consents.answer(waiting.request, "deny")
    const ended = yield* Fiber.join(fiber)
    assert.isTrue(ended._tag === "Failure" && ended.failure.detail === DENIED)
  }))

it.effect("a request ends with its caller, and no answer reaches it any more", () =>
  Effect.gen(function*() {
    const consents = makeConsents()
    const { fiber, waiting } = yield* waits(consents)
    yield* Fiber.interrupt(fiber)
    assert.deepStrictEqual(consents.waiting(), [])
    assert.match((yield* Effect.flip(consents.answer(waiting.request, "allow"))).detail, /its caller has gone/)
  }))

it.effect("a login waits beside exports, and its answer is a word", () =>
  Effect.gen(function*() {
    const consents = makeConsents()
    const login = { host: "github.com", user: "git", fingerprint: "SHA256:x" }
    const { fiber: exporting, waiting: waitingExport } = yield* waits(consents)
    for (const decision of ["allow", "deny"] as const) {
      const fiber = yield* Effect.forkChild(consents.askLogin(login, () => Effect.void))
      while (consents.pendingLogins().length === 0) yield* Effect.yieldNow
      const [waiting] = consents.pendingLogins()
      assert.deepInclude(waiting, login)
      assert.deepStrictEqual(consents.waiting(), [waitingExport])
      assert.deepStrictEqual(yield* consents.answer(waiting!.request, decision), waiting)
      assert.strictEqual(yield* Fiber.join(fiber), decision === "allow")
    }
    assert.deepStrictEqual(consents.pendingLogins(), [])
    yield* Fiber.interrupt(exporting)
  }))
