import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { readEvents, recordEvent, sinceReset } from "../../../src/workspace/events.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-events-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

const exported = (to: string) => ({ _tag: "export", kind: "patch", to, files: 1, bytes: 3 } as const)

describe("the event log of a workspace", () => {
  it.scoped("the event log keeps all transfers and finds those after the last reset", () =>
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
    }))

  it.scoped("the event log loses only the line that a crash cut", () =>
    Effect.gen(function*() {
      const at = yield* folder
      yield* recordEvent(at, exported("/a"))
      fs.appendFileSync(path.join(at, "events.jsonl"), "{\"_tag\":\"export\",\"at\":\"20")
      yield* recordEvent(at, exported("/b"))
      const told = (yield* readEvents(at)).map((event) => event._tag === "export" ? event.to : event._tag)
      assert.deepStrictEqual(told, ["/a", "/b"])
    }))
})
