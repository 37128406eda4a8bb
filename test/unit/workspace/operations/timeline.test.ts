import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Ref } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { pullFromStream } from "../../../../src/contract/rows/event-batches.ts"
import type { TimelineEntries } from "../../../../src/contract/rows/workspace-timeline.ts"
import { makeDeletion } from "../../../../src/workspace/entry/deletion.ts"
import type { Entry } from "../../../../src/workspace/entry/entry.ts"
import { EventLog } from "../../../../src/workspace/entry/events.ts"
import { readableOf } from "../../../../src/workspace/entry/readable.ts"
import { folderOf, newWorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { RequestLog } from "../../../../src/workspace/entry/requests.ts"
import { showTimeline } from "../../../../src/workspace/operations/timeline.ts"
import { openCommands } from "../../../../src/workspace/residents/exec/command-registry.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"

/** What a message may have beside its frame. */
const MOST_BYTES = 15_728_640

const LONG = "\uffff".repeat(1_000_000)

const bytesOf = (event: TimelineEntries) => Buffer.byteLength(JSON.stringify(event))

/** An entry with the parts that a timeline reads. */
const withCommands = Effect.gen(function*() {
  const home = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-timeline-"))),
    (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
  )
  const folder = folderOf(home, newWorkspaceId())
  fs.mkdirSync(folder.directory, { recursive: true })
  const commands = yield* openCommands(folder)
  const residents = {
    commands,
    network: { log: { position: () => 0, page: () => ({ entries: [], nextCursor: 0 }) } },
    ssh: { count: () => 0 },
    agentLoan: { ofCommand: () => undefined }
  }
  const entry = {
    folder,
    requests: new RequestLog(),
    record: readableOf(Ref.makeUnsafe({})),
    state: readableOf(Ref.makeUnsafe({ state: "ready" })),
    deletion: yield* makeDeletion,
    residents: readableOf(Ref.makeUnsafe(Option.some(residents)))
  } as unknown as Entry
  let started = 0
  const start = (count: number) => {
    for (let more = 0; more < count; more++) {
      commands.journal.started({
        id: (started++).toString(16).padStart(32, "0"),
        command: ["printf", LONG],
        startedAt: "2026-01-01T00:00:00.000Z"
      })
    }
  }
  return { entry, start, log: yield* EventLog }
})

const entriesOf = (events: ReadonlyArray<TimelineEntries>) => events.flatMap(({ entries }) => entries)

describe("the timeline of a workspace with commands of 1 MB each", () => {
  it.live("each event with the newest 1,000 fits, and none is missing", () =>
    Effect.gen(function*() {
      const { entry, log, start } = yield* withCommands
      start(1_100)
      const pull = yield* pullFromStream(showTimeline(log, entry, { workspace: "w", limit: 1_000, follow: false }))
      const keys = new Set<string>()
      while (keys.size < 1_000) {
        const events = yield* pull()
        for (const event of events) assert.isBelow(bytesOf(event), MOST_BYTES)
        for (const { key } of entriesOf(events)) keys.add(key)
      }
      assert.isTrue(keys.has(`command:${(1_099).toString(16).padStart(32, "0")}`))
      assert.isTrue(keys.has(`command:${(100).toString(16).padStart(32, "0")}`))
    }).pipe(Effect.scoped, Effect.provide(eventLog)))

  it.live("a follower who was away for 1,600 commands gets all in events that fit", () =>
    Effect.gen(function*() {
      const { entry, log, start } = yield* withCommands
      const pull = yield* pullFromStream(
        showTimeline(log, entry, { workspace: "w", limit: 200, follow: true })
      )
      assert.deepStrictEqual(entriesOf(yield* pull()), [])
      start(1_600)
      const keys = new Set<string>()
      while (keys.size < 1_600) {
        const events = yield* pull()
        for (const event of events) assert.isBelow(bytesOf(event), MOST_BYTES)
        for (const { key } of entriesOf(events)) keys.add(key)
      }
    }).pipe(Effect.scoped, Effect.provide(eventLog)))
})
