import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { AdmissionRefused, type PyroError, VmFailed } from "../../../../src/contract/errors/errors.ts"
import { makeRoom } from "../../../../src/workspace/operations/try/room.ts"

const noRoom = new AdmissionRefused({ resource: "memory", detail: "there is none" })

/** A host with room for a number of forks, and what happened on it. */
const host = (most: number) => {
  const journal: Array<string> = []
  let made = 0
  const fork = (name: string) => ({
    make: Effect.suspend((): Effect.Effect<string, PyroError> => {
      if (made >= most) return noRoom
      made++
      journal.push(`made ${name}`)
      return Effect.succeed(name)
    }),
    remove: (name: string) =>
      Effect.sync(() => {
        made--
        journal.push(`removed ${name}`)
      }),
    onWait: () => void journal.push(`${name} waits`)
  })
  return { journal, fork }
}

describe("the room for the forks of a try", () => {
  it.effect("a fork that is refused waits until another has gone, and the next waits for its turn", () =>
    Effect.gen(function*() {
      const { fork, journal } = host(1)
      const room = yield* makeRoom
      const ends = yield* Deferred.make<void>()
      const use = (name: string) =>
        Effect.forkChild(
          Effect.scoped(Effect.andThen(room(fork(name)), name === "a" ? Deferred.await(ends) : Effect.void))
        )
      const fibers = [yield* use("a"), yield* use("b"), yield* use("c")]
      for (let turns = 0; turns < 10; turns++) yield* Effect.yieldNow
      assert.deepStrictEqual(journal, ["made a", "b waits"])
      yield* Deferred.succeed(ends, undefined)
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepStrictEqual(journal.filter((line) => line.startsWith("made")), ["made a", "made b", "made c"])
      assert.deepStrictEqual(journal.filter((line) => line.startsWith("removed")).length, 3)
    }))

  it.effect("a fork that is refused alone fails, and so does one that fails otherwise", () =>
    Effect.gen(function*() {
      const none = host(0)
      const room = yield* makeRoom
      assert.strictEqual(yield* Effect.flip(Effect.scoped(room(none.fork("a")))), noRoom)
      const other = host(2)
      const broken = new VmFailed({ step: "restore", detail: "it broke", consoleTail: "" })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* room(other.fork("a"))
        assert.strictEqual(yield* Effect.flip(room({ ...other.fork("b"), make: broken })), broken)
      }))
      assert.deepStrictEqual([...none.journal, ...other.journal], ["made a", "removed a"])
    }))

  it.effect("an interrupted fork is removed to the end, and one that waits goes at once", () =>
    Effect.gen(function*() {
      const { fork, journal } = host(1)
      const room = yield* makeRoom
      const slow = fork("a")
      const removing = {
        ...slow,
        remove: (name: string) => Effect.andThen(Effect.interruptible(Effect.yieldNow), slow.remove(name))
      }
      const first = yield* Effect.forkChild(Effect.scoped(Effect.andThen(room(removing), Effect.never)))
      const second = yield* Effect.forkChild(Effect.scoped(room(fork("b"))))
      for (let turns = 0; turns < 10; turns++) yield* Effect.yieldNow
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual(journal, ["made a", "b waits", "removed a"])
    }))
})
