import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { NewEvent } from "../../../../../src/workspace/entry/events.ts"
import { makeVisits } from "../../../../../src/workspace/residents/ssh/visits.ts"

const recorded = Effect.gen(function*() {
  const events: Array<NewEvent> = []
  const visits = yield* makeVisits((event) => Effect.sync(() => void events.push(event)))
  return { events, ...visits }
})

const opened = (user: string): NewEvent => ({ _tag: "ssh_opened", user })
const closed = (user: string, connections: number, sessions: number, sentBytes: number): NewEvent => ({
  _tag: "ssh_closed",
  user,
  connections,
  sessions,
  sentBytes
})

it.effect("connections with at most a minute between them are two events, with their counts", () =>
  Effect.gen(function*() {
    const { events, opened: open } = yield* recorded
    for (let count = 1; count <= 9; count++) {
      const connection = yield* open("root")
      yield* connection.session
      yield* connection.ended(100)
      yield* TestClock.adjust("50 seconds")
    }
    assert.deepStrictEqual(events, [opened("root")])
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(events, [opened("root"), closed("root", 9, 9, 900)])
    yield* open("root")
    assert.deepStrictEqual(events.slice(2), [opened("root")])
  }).pipe(Effect.scoped))

it.effect("a visit goes on while one of its connections is open", () =>
  Effect.gen(function*() {
    const { events, opened: open } = yield* recorded
    const long = yield* open("root")
    yield* (yield* open("root")).ended(1)
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(events, 1)
    yield* long.ended(1)
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(events[1], closed("root", 2, 0, 2))
  }).pipe(Effect.scoped))

it.effect("each user has a visit, and the end of the workspace's residents ends all", () =>
  Effect.gen(function*() {
    const { events } = yield* Effect.scoped(Effect.gen(function*() {
      const all = yield* recorded
      yield* all.opened("root")
      yield* (yield* all.opened("agent")).ended(5)
      assert.deepStrictEqual(all.events, [opened("root"), opened("agent")])
      return all
    }))
    assert.deepStrictEqual(events.slice(2), [closed("root", 1, 0, 0), closed("agent", 1, 0, 5)])
  }))

it.effect("each connection of a visit has a begin, and counts as a use until its end", () =>
  Effect.gen(function*() {
    const { begins, events, opened: open, usedSince } = yield* recorded
    assert.isFalse(usedSince(0))
    yield* (yield* open("root")).ended(1)
    yield* TestClock.adjust("20 seconds")
    assert.isTrue(usedSince(0))
    assert.isFalse(usedSince(10_000))
    const second = yield* open("root")
    yield* TestClock.adjust("20 seconds")
    assert.isTrue(usedSince(40_000))
    yield* second.ended(1)
    yield* TestClock.adjust("20 seconds")
    assert.deepStrictEqual([usedSince(40_000), usedSince(50_000)], [true, false])
    assert.deepStrictEqual(events, [opened("root")])
    assert.deepStrictEqual(begins().map(({ at }) => Date.parse(at)), [0, 20_000])
  }).pipe(Effect.scoped))
