import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { EventLog, eventPage, readEvents, recordEvent, sinceReset } from "../../../../src/workspace/entry/events.ts"
import { entryOf, eventText } from "../../../../src/workspace/operations/events.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-events-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

const exported = (to: string) => ({ _tag: "export", kind: "patch", to, files: 1, bytes: 3 } as const)

describe("the event log of a workspace", () => {
  it.effect("the event log keeps all transfers and finds those after the last reset", () =>
    Effect.gen(function*() {
      const at = yield* folder
      assert.deepStrictEqual(yield* readEvents(at), [])
      yield* recordEvent(at, { _tag: "seed", from: "/repo", files: 2, bytes: 7 })
      yield* recordEvent(at, exported("/a"))
      yield* recordEvent(at, { _tag: "reset" })
      yield* recordEvent(at, exported("/b"))
      const all = yield* readEvents(at)
      assert.deepStrictEqual(all.map(({ _tag }) => _tag), ["seed", "export", "reset", "export"])
      const { events, resetAt } = sinceReset(all)
      assert.deepStrictEqual(events.map((event) => event._tag === "export" ? event.to : event._tag), ["/b"])
      assert.strictEqual(resetAt, all[2]?.at)
      assert.deepStrictEqual(sinceReset(all.slice(0, 2)), { resetAt: undefined, events: all.slice(0, 2) })
    }).pipe(Effect.provide(eventLog)))

  it.effect("the event log loses only the line that a crash cut", () =>
    Effect.gen(function*() {
      const at = yield* folder
      yield* recordEvent(at, exported("/a"))
      fs.appendFileSync(path.join(at, "events.jsonl"), "{\"_tag\":\"export\",\"at\":\"20")
      yield* recordEvent(at, exported("/b"))
      const told = (yield* readEvents(at)).map((event) => event._tag === "export" ? event.to : event._tag)
      assert.deepStrictEqual(told, ["/a", "/b"])
    }).pipe(Effect.provide(eventLog)))

  it.effect("pages follow each other without a gap, and skip what a crash cut", () =>
    Effect.gen(function*() {
      const at = yield* folder
      assert.deepStrictEqual(yield* eventPage(at, undefined, 10), {
        events: [],
        positions: [],
        nextCursor: 0,
        hasMore: false
      })
      for (const to of ["/a", "/b"]) yield* recordEvent(at, exported(to))
      fs.appendFileSync(path.join(at, "events.jsonl"), "{\"_tag\":\"export\",\"at\":\"20")
      for (const to of ["/c", "/d", "/e"]) yield* recordEvent(at, exported(to))
      const of = ({ events }: Effect.Success<ReturnType<typeof eventPage>>) =>
        events.map((event) => event._tag === "export" ? event.to : event._tag)
      const newest = yield* eventPage(at, undefined, 2)
      assert.deepStrictEqual(of(newest), ["/d", "/e"])
      assert.deepStrictEqual(of(yield* eventPage(at, newest.nextCursor, 2)), [])
      const all: Array<string> = []
      for (let cursor = 0;;) {
        const page = yield* eventPage(at, cursor, 2)
        if (page.events.length === 0) break
        all.push(...of(page))
        cursor = page.nextCursor
      }
      assert.deepStrictEqual(all, ["/a", "/b", "/c", "/d", "/e"])
      assert.deepStrictEqual(of(yield* eventPage(at, 1e9, 2)), [])
    }).pipe(Effect.provide(eventLog)))

  it.effect("the largest page of events fits a message, and pages follow each other without a gap", () =>
    Effect.gen(function*() {
      const at = yield* folder
      // As many characters as the journal keeps of a command, which escapes make six times as long.
      const command = ["\u200b".repeat(4_096)]
      const line = (number: number) =>
        JSON.stringify({ _tag: "shell_opened", at: "2026-01-01T00:00:00.000Z", shellId: String(number), command })
      fs.writeFileSync(
        path.join(at, "events.jsonl"),
        Array.from({ length: 600 }, (_, number) => `${line(number)}\n`).join("")
      )
      const ids = ({ events }: Effect.Success<ReturnType<typeof eventPage>>) =>
        events.map((event) => event._tag === "shell_opened" ? Number(event.shellId) : -1)
      const fits = ({ events }: Effect.Success<ReturnType<typeof eventPage>>) =>
        assert.isBelow(Buffer.byteLength(JSON.stringify(events.map(entryOf))), 15_728_640)
      const newest = yield* eventPage(at, undefined, 1_000)
      fits(newest)
      assert.strictEqual(ids(newest).at(-1), 599)
      assert.isAbove(newest.events.length, 300)
      const all: Array<number> = []
      for (let cursor = 0, hasMore = true; hasMore;) {
        const page = yield* eventPage(at, cursor, 1_000)
        fits(page)
        all.push(...ids(page))
        cursor = page.nextCursor
        hasMore = page.hasMore
      }
      assert.deepStrictEqual(all, Array.from({ length: 600 }, (_, number) => number))
      assert.lengthOf(yield* readEvents(at), 600)
    }))

  it.effect("a follower wakes at the next event of its workspace, also if the event came first", () =>
    Effect.gen(function*() {
      const [mine, other] = [yield* folder, yield* folder]
      const log = yield* EventLog
      const known = log.recorded()
      const woken = yield* Effect.forkChild(log.next(known, mine))
      yield* Effect.yieldNow
      yield* recordEvent(other, { _tag: "started" })
      assert.isUndefined(woken.pollUnsafe())
      yield* recordEvent(mine, { _tag: "started" })
      yield* Fiber.join(woken)
      yield* log.next(known, mine)
    }).pipe(Effect.provide(eventLog)))

  it("the text of an exported patch has the number of changed files", () => {
    const text = (more: object) => eventText({ ...exported("/p"), at: "", ...more })
    assert.strictEqual(text({ changedFiles: 2 }), "exported patch to /p: 2 changed files, 3 bytes")
    assert.strictEqual(text({}), "exported patch to /p: 1 file, 3 bytes", "an older log")
    assert.strictEqual(text({ to: "-", changedFiles: 1 }), "exported patch to the caller: 1 changed file, 3 bytes")
  })

  it("the text of an event shows no control character of a guest", () => {
    assert.strictEqual(
      eventText({ _tag: "died", at: "", detail: "end\u001b[2J" }),
      "its microVM ended by itself: end\\x1b[2J"
    )
  })
})
