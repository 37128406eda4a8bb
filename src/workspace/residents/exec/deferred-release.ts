import { Effect, Latch, type Scope } from "effect"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import { clockReader } from "../../../system/waits/time.ts"
import { touch } from "../../entry/activity.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import type { CommandJournal } from "./journal.ts"

/**
 * Delay of the work after the end of a command, in ms. A caller that runs one command after another requests the next one sooner, and
 * this process is idle while the guest runs it.
 */
const AFTER_MS = 2
/** Resolution of the time of last activity, in ms: pyro does not write the start of every command in a row. */
const FRESH_MS = 500

/** Work after the response to the caller of a command, done once for all commands that ended meanwhile. */
export interface DeferredRelease {
  /** Notes the start of a command as a use of the workspace. */
  readonly started: Effect.Effect<void>
  /** Releases an ended command in the guest once the file of the journal has its end. */
  readonly ended: (process: GuestProcess) => void
  /** Forgets the commands to release, because their guest is gone. */
  readonly forget: () => void
}

/** One fiber does the work for all commands of a workspace. When the Scope closes, it waits for a write in progress. */
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
