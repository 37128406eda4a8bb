import { Effect, Schema } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { LogStore } from "../../../output-log/store.ts"
import { copyStart } from "../../../system/files/content.ts"
import { renameFile } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { toHostErrorOf } from "../../../system/files/host-error.ts"
import type { ResidentKind } from "../../entry/resident.ts"
import { type CommandJournal, Started } from "./journal.ts"

/** A command that ran at some moment, and which files held its output then. */
export const RunningCommand = Schema.Struct({
  start: Started,
  segments: Schema.Array(Schema.Struct({ number: Schema.Int, size: Schema.Int }))
})
export type RunningCommand = typeof RunningCommand.Type

const Running = Schema.Array(RunningCommand)

/** How a snapshot stores the commands that ran. A workspace stores its commands in a journal, which each command appends to. */
export const execKind: ResidentKind<typeof Running.Type, typeof Running.Encoded> = {
  key: "execs",
  state: Running,
  upgrades: [],
  describeNoted: (commands) => ({
    runningCommands: commands.filter(({ start }) => start.role === undefined).length
  })
}

/** The running commands, their output under second names in the folder `to`, in one turn of the event loop. */
export const runningOf = (journal: CommandJournal, logs: LogStore, to: string) =>
  attempt(
    "link",
    to,
    (): ReadonlyArray<RunningCommand> =>
      journal.commands.filter(({ end }) => end === undefined).map(({ start }) => ({
        start,
        segments: (logs.get(start.id)?.segments ?? []).map(({ number, size }) => {
          fs.linkSync(logs.file(start.id, number), path.join(to, `${start.id}.${number}`))
          return { number, size }
        })
      }))
  ).pipe(Effect.mapError(toHostErrorOf(to)))

/** Cuts the files that `runningOf` named to their size at that time, as separate files. */
export const keepRunning = (commands: ReadonlyArray<RunningCommand>, folder: string) =>
  Effect.forEach(commands, ({ segments, start }) =>
    Effect.gen(function*() {
      const last = segments.at(-1)
      if (last === undefined) return
      const file = path.join(folder, `${start.id}.${last.number}`)
      const own = `${file}.tmp`
      yield* copyStart(file, own, last.size)
      yield* renameFile(own, file)
    }), { discard: true }).pipe(Effect.mapError(toHostErrorOf(folder)))

/**
 * Adds commands that ran elsewhere `sinceMs` ago to a journal, as running, with the output in `from`. Throws errors of the file
 * system.
 */
export const takeOver = (
  journal: CommandJournal,
  logs: LogStore,
  commands: ReadonlyArray<RunningCommand>,
  from: string,
  sinceMs: number
): void => {
  for (const { segments, start } of commands) {
    const { deadlineMs, ...rest } = start
    // Its clock stood still with the snapshot.
    const shifted = deadlineMs === undefined ? {} : { deadlineMs: deadlineMs + sinceMs }
    journal.started({ ...rest, ...shifted, inherited: true })
    logs.take(start.id, from, segments.map(({ number }) => number))
  }
}
