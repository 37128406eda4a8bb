import { Effect, Latch, type Scope } from "effect"
import type { GuestProcess } from "../../../guest-channel/process.ts"
import { clockReader } from "../../../system/waits/time.ts"
import { touch } from "../../entry/activity.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import type { CommandJournal } from "./journal.ts"

/**
 * Delay of the work after the end of a command, in ms. A caller that runs one command after another asks for the next one sooner.
 * While the guest runs the next command, this process is idle.
 */
const AFTER_MS = 2
/** Resolution of the time of last activity, in ms: of commands in a row, not every start is written down. */
const FRESH_MS = 500

/** The work that is left when the caller of a command has its answer, done once for all commands that ended meanwhile. */
export interface DeferredRelease {
  /** The workspace is in use. */
  readonly started: Effect.Effect<void>
  /** The end of a command is in the journal, though not in its file yet. The guest keeps the end until the file has it. */
  readonly ended: (process: GuestProcess) => void
  /** The guest is gone, with all commands to release. */
  readonly forget: () => void
}

/** One fiber does the work for all commands of a workspace. It ends with the Scope, which waits for a write under way. */
export const makeDeferredRelease = (
  folder: WorkspaceFolder,
  journal: CommandJournal
): Effect.Effect<DeferredRelease, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { monotonicMs } = yield* clockReader
    const due = Latch.makeUnsafe(false)
    let unreleased: Array<GuestProcess> = []
    let touchedAtMs = -Infinity
    const active = Effect.suspend(() => {
      touchedAtMs = monotonicMs()
      return touch(folder)
    })
    const work = Effect.suspend(() => {
      due.closeUnsafe()
      const written = journal.flush() ? unreleased.splice(0) : []
      return Effect.andThen(active, Effect.forEach(written, ({ release }) => release, { discard: true }))
    })
    yield* due.await.pipe(
      Effect.andThen(Effect.sleep(AFTER_MS)),
      Effect.andThen(Effect.uninterruptible(work)),
      Effect.forever,
      Effect.forkScoped
    )
    return {
      started: Effect.suspend(() => monotonicMs() - touchedAtMs < FRESH_MS ? Effect.void : active),
      ended: (process) => {
        unreleased.push(process)
        due.openUnsafe()
      },
      forget: () => {
        unreleased = []
      }
    }
  })
