import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import type { ResolveRequest } from "../../../../../src/lib/guest-channel/model/network.ts"
import type { DiallerService } from "../../../../../src/lib/network/Dialler.ts"
import type { NewRecord } from "../../../../../src/workspace/residents/network/log.ts"
import { makePace } from "../../../../../src/workspace/residents/network/pace.ts"
import { serveRequests } from "../../../../../src/workspace/residents/network/serve.ts"
import { nothingGranted } from "../../../../../src/workspace/residents/policy/policy.ts"
import { connectingOf } from "../../../../support/network/connecting.ts"

const dialler: Partial<DiallerService> = {
  resolve: () =>
    Effect.succeed({
      answer: { _tag: "NoSuchName" },
      denied: { _tag: "Denied", reason: "the network policy is off", remedy: undefined }
    })
}

/** A guest that asks for names without an end, and what the host does about it. */
const flooding = Effect.gen(function*() {
  const records: Array<NewRecord> = []
  let answered = 0
  const request = (number: number): ResolveRequest => ({
    _tag: "Resolve",
    name: `n${number}.test`,
    type: 1,
    answer: () => Effect.sync(() => void answered++),
    withdrawn: Effect.never
  })
  const record = (one: NewRecord) => Effect.sync(() => void records.push(one))
  const forEachNetworkRequest: GuestChannel["forEachNetworkRequest"] = (take) =>
    Effect.gen(function*() {
      for (let number = 0;; number++) yield* take(request(number)) ?? Effect.void
    })
  const rules = () => nothingGranted.rules
  const { connecting } = connectingOf({ dialler, rules, record, pace: makePace(record) })
  yield* serveRequests({ forEachNetworkRequest }, connecting)
  return { answered: () => answered, records }
})

describe("the pace of a guest's requests", () => {
  it.effect("the host judges 1,000 requests at once, and 500 per second after them", () =>
    Effect.gen(function*() {
      const { answered } = yield* flooding
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(answered(), 1_000)
      yield* TestClock.adjust("1 second")
      assert.closeTo(answered(), 1_500, 10)
    }))

  it.effect("a flood has one entry in the log, beside each denial that was judged", () =>
    Effect.gen(function*() {
      const { answered, records } = yield* flooding
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(records.length, answered() + 1)
      assert.deepStrictEqual(
        records.filter(({ kind }) => kind === "flood").map(({ reason }) => reason),
        ["more than 500 requests per second; pyro judges the others later"]
      )
    }))

  it.effect("a flood that goes on has one entry a minute", () =>
    Effect.gen(function*() {
      const records: Array<NewRecord> = []
      const pace = makePace((one) => Effect.sync(() => void records.push(one)))
      const counts: Array<number> = []
      // Each flood takes two seconds.
      for (const restMs of [50_000, 10_000, 0]) {
        // The clock waits for no fiber that has not slept yet, and the first thousand do not sleep.
        yield* Effect.repeat(pace.wait, { times: 999 })
        const flood = yield* Effect.forkChild(Effect.repeat(pace.wait, { times: 999 }))
        yield* TestClock.adjust("2100 millis")
        yield* Fiber.join(flood)
        counts.push(records.length)
        yield* TestClock.adjust(restMs)
      }
      assert.deepStrictEqual(counts, [1, 1, 2])
    }))

  it.effect("a guest that rests may ask for 1,000 at once again", () =>
    Effect.gen(function*() {
      const records: Array<NewRecord> = []
      const pace = makePace((one) => Effect.sync(() => void records.push(one)))
      for (let round = 0; round < 3; round++) {
        yield* Effect.repeat(pace.wait, { times: 999 })
        yield* TestClock.adjust("2 seconds")
      }
      assert.lengthOf(records, 0)
    }))
})
