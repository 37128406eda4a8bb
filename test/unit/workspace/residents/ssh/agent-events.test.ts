import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { NewEvent } from "../../../../../src/workspace/entry/events.ts"
import { makeAgentEvents } from "../../../../../src/workspace/residents/ssh/agent-events.ts"

const event: NewEvent = { _tag: "ssh_agent_refused", reason: "a malformed request" }

it.effect("a guest that asks all the time fills no log: one event a minute has the number of the others", () =>
  Effect.gen(function*() {
    const recorded: Array<NewEvent> = []
    const record = yield* makeAgentEvents((one) => Effect.sync(() => void recorded.push(one)))
    const ask = (times: number) => Effect.forEach(Array.from({ length: times }), () => record(event), { discard: true })
    yield* ask(30)
    assert.lengthOf(recorded, 30)
    yield* ask(1_000)
    assert.lengthOf(recorded, 30)
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(recorded.slice(30), [{ _tag: "ssh_agent_flood", events: 1_000 }])
    // The bucket has filled meanwhile, and the count begins anew.
    yield* ask(31)
    assert.lengthOf(recorded, 61)
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(recorded.at(-1), { _tag: "ssh_agent_flood", events: 1 })
    assert.lengthOf(recorded, 62)
  }).pipe(Effect.scoped))
