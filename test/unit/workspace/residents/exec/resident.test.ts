import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { logLimits, LogStore } from "../../../../../src/lib/output-log/store.ts"
import { CommandJournal } from "../../../../../src/workspace/residents/exec/journal.ts"
import { noteRunning } from "../../../../../src/workspace/residents/exec/resident.ts"
import { temporaryDirectory } from "../../../lib/disk/temporary-directory.ts"

const id = "a".repeat(32)

describe("running commands at a capture", () => {
  it.live("the output of a running command gets second names, or the capture fails with the folder", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const journal = yield* Effect.acquireRelease(
        Effect.sync(() => new CommandJournal(path.join(folder, "journal"))),
        (journal) => Effect.sync(() => journal.close())
      )
      const logs = new LogStore(path.join(folder, "logs"), logLimits, [])
      journal.started({ id, command: ["true"], startedAt: "2026-01-01T00:00:00.000Z" })
      yield* logs.create(id).append("stdout", Buffer.from("printed"))
      const noted = path.join(folder, "noted")
      const failure = yield* Effect.flip(noteRunning({ journal, logs }, noted))
      assert.deepInclude(failure, { code: "state_directory_unusable", path: noted })
      assert.include(failure.message, "ENOENT")
      fs.mkdirSync(noted)
      assert.deepStrictEqual((yield* noteRunning({ journal, logs }, noted)).map(({ start }) => start.id), [id])
      assert.deepStrictEqual(fs.readdirSync(noted), [`${id}.0`])
    }))
})
