import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll } from "vitest"
import type { WindowSize } from "../../../../../src/contract/rows/run-input.ts"
import type { GuestProcess } from "../../../../../src/lib/guest-channel/model/process.ts"
import { logLimits, LogStore } from "../../../../../src/lib/output-log/store.ts"
import { folderOf, newWorkspaceId } from "../../../../../src/workspace/entry/record.ts"
import type { Commands } from "../../../../../src/workspace/residents/exec/command-registry.ts"
import { CommandJournal } from "../../../../../src/workspace/residents/exec/journal.ts"
import type { Command } from "../../../../../src/workspace/residents/exec/running.ts"
import { unstoredSecrets } from "../../../../../src/workspace/residents/secret/workspace-secrets.ts"
import { attach } from "../../../../../src/workspace/residents/shell/attach.ts"
import { Renderings } from "../../../../../src/workspace/residents/shell/renderings.ts"
import { Turns } from "../../../../../src/workspace/residents/shell/write.ts"
import { until } from "../../../../support/until.ts"

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-attach-"))
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

let made = 0

/** An open shell of 80 columns and 24 rows, whose terminal the test plays. */
const openShell = () => {
  const folder = folderOf(directory, newWorkspaceId())
  const id = String(made++).padStart(32, "0")
  const journal = new CommandJournal(path.join(directory, `${id}.journal`))
  journal.started({ id, command: ["sh"], startedAt: "", sizes: [{ at: 0, cols: 80, rows: 24 }] })
  const log = new LogStore(path.join(directory, id), logLimits, []).create(id)
  const seen: Array<WindowSize> = []
  const process = {
    resize: (size: WindowSize) => Effect.sync(() => void seen.push(size))
  } as unknown as GuestProcess
  const started = Deferred.makeUnsafe<GuestProcess>()
  Deferred.doneUnsafe(started, Effect.succeed(process))
  const command = { id, log, started } as unknown as Command
  const commands = { folder, journal, secrets: unstoredSecrets() } as unknown as Commands
  const context = { commands, renderings: new Renderings(), turns: new Turns() }
  const shell = { id, log, command, ...journal.get(id)! }
  return { context, journal, log, seen, shell } as const
}

describe("the size of an attached terminal", () => {
  it.live("a window that returns to its first size is rendered in that size", () =>
    Effect.gen(function*() {
      const { context, journal, log, seen, shell } = openShell()
      const resizes = Stream.fromIterable([{ cols: 40, rows: 10 }, { cols: 80, rows: 24 }]).pipe(
        Stream.tap(() => log.append("stdout", Buffer.from("output\r\n")))
      )
      yield* attach(context, shell, { cols: 80, rows: 24 }, { resizes })
      yield* until(() => seen.length >= 3)
      assert.deepStrictEqual(seen.at(-1), { cols: 80, rows: 24 })
      assert.deepStrictEqual(journal.get(shell.id)!.start.sizes, [
        { at: 0, cols: 80, rows: 24 },
        { at: 8, cols: 40, rows: 10 },
        { at: 16, cols: 80, rows: 24 }
      ])
    }))

  it.live("a size that the full disk refuses does not end later ones", () =>
    Effect.gen(function*() {
      const { context, journal, seen, shell } = openShell()
      const resized = journal.resized.bind(journal)
      let isFull = true
      journal.resized = (id, size) => {
        if (isFull) {
          isFull = false
          throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })
        }
        resized(id, size)
      }
      const resizes = Stream.fromIterable([{ cols: 40, rows: 10 }, { cols: 50, rows: 12 }])
      yield* attach(context, shell, {}, { resizes })
      yield* until(() => seen.length >= 1)
      assert.deepStrictEqual(seen, [{ cols: 50, rows: 12 }])
    }))
})
