import { Effect, type Scope } from "effect"
import type { GuestProcess } from "../../guest-channel/process.ts"
import { clockReader } from "../../system/time.ts"
import { touch, type WorkspaceFolder } from "../lifecycle/record.ts"
import type { CommandJournal } from "./journal.ts"

/**
 * How long what follows a command's end waits, in ms. Whoever runs one command after another asks for the next in less, and while the
 * guest runs that, this process has nothing else to do.
 */
const AFTER_MS = 2
/** The time of last activity is true to so many ms: of commands one after the other not each one's start is written down. */
const FRESH_MS = 500

/** What is left to be done once whoever waited for a command was told, for all that ended in a moment. */
export interface Aftermath {
  /** The workspace is in use. */
  readonly started: Effect.Effect<void>
  /** Its end is in the journal, though not in the journal's file: until then the guest is to know it, too. */
  readonly ended: (process: GuestProcess) => void
  /** What the guest knows needs no release: it is gone. */
  readonly forget: () => void
}

export const makeAftermath = (
  folder: WorkspaceFolder,
  journal: CommandJournal
): Effect.Effect<Aftermath, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(clockReader, ({ monotonicMs }) => {
      let unreleased: Array<GuestProcess> = []
      let timer: NodeJS.Timeout | undefined
      let touchedAtMs = -Infinity
      const active = Effect.suspend(() => {
        touchedAtMs = monotonicMs()
        return touch(folder)
      })
      const work = Effect.suspend(() => {
        timer = undefined
        const written = journal.flush() ? unreleased.splice(0) : []
        return Effect.zipRight(active, Effect.forEach(written, ({ release }) => release, { discard: true }))
      })
      return {
        started: Effect.suspend(() => monotonicMs() - touchedAtMs < FRESH_MS ? Effect.void : active),
        ended: (process: GuestProcess) => {
          unreleased.push(process)
          timer ??= setTimeout(() => Effect.runFork(work), AFTER_MS)
        },
        forget: () => {
          unreleased = []
        },
        close: () => clearTimeout(timer)
      }
    }),
    ({ close }) => Effect.sync(close)
  )
