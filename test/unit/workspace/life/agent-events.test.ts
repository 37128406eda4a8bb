import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { AgentEvent } from "../../../../src/lib/guest-channel/model/calls.ts"
import type { Entry } from "../../../../src/workspace/entry/entry.ts"
import { readEvents } from "../../../../src/workspace/entry/events.ts"
import { makeAllowance, recordAgentEvents } from "../../../../src/workspace/life/engine/install.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"

const recorded = (events: ReadonlyArray<AgentEvent>) =>
  Effect.gen(function*() {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-agent-events-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
    )
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) =>
      void lines.push(`${logLevel} ${String(message)}`)
    )
    const entry = { id: "ws-1", folder: { directory } } as unknown as Entry
    yield* recordAgentEvents(entry, { events: Stream.fromIterable(events) }).pipe(
      Effect.provide(Layer.merge(Logger.layer([logger]), eventLog))
    )
    return { lines, events: yield* readEvents(directory) }
  })

describe("events of a guest's agent", () => {
  it.effect("agent events go to the daemon's log and the workspace's event log, with their severity", () =>
    Effect.gen(function*() {
      const { events, lines } = yield* recorded([
        { level: "info", text: "one" },
        { level: "warning", text: "a process was killed for want of memory" },
        { level: "error", text: "three" }
      ])
      assert.deepStrictEqual(lines, [
        "Info ws-1: its agent: one",
        "Warn ws-1: its agent: a process was killed for want of memory",
        "Error ws-1: its agent: three"
      ])
      assert.deepStrictEqual(events.map(({ at: _, ...event }) => event), [
        { _tag: "agent", level: "info", text: "one" },
        { _tag: "agent", level: "warning", text: "a process was killed for want of memory" },
        { _tag: "agent", level: "error", text: "three" }
      ])
    }))

  it.effect("a guest that floods the host with agent events gets twenty of them recorded at once", () =>
    Effect.gen(function*() {
      const flood = Array.from({ length: 1_000 }, (): AgentEvent => ({ level: "info", text: "x".repeat(1_000) }))
      const { events, lines } = yield* recorded(flood)
      assert.strictEqual(events.length, 20)
      assert.strictEqual(lines.length, 20)
    }))

  it("a guest that floods the host with agent events then gets one recorded in ten seconds", () => {
    const isAllowed = makeAllowance(0)
    const allowed = Array.from({ length: 601 }, (_, second) => isAllowed(second * 1_000)).filter((one) => one)
    assert.strictEqual(allowed.length, 20 + 60)
    assert.isFalse(isAllowed(601_000))
    assert.isTrue(isAllowed(10_000_000))
  })
})
