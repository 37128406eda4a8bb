import { Effect, Exit } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { callerProject } from "../../contract/wire/caller-project.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import { faultPoint } from "../../system/waits/fault.ts"
import { nowMs } from "../../system/waits/time.ts"
import { pointBeforeCommand } from "../life/points/keeper.ts"
import { journaled } from "../residents/exec/command-registry.ts"
import type { AtResidents, AtRunning } from "./work.ts"

/** How an operation stands in the history. */
interface EditStep<A> {
  /** Its words, as on a command line. */
  readonly words: ReadonlyArray<string>
  /** A failure may have changed some of the files. @default a failure has changed nothing */
  readonly inParts?: boolean
  /** Whether it changed something. @default it did */
  readonly hasChanged?: (result: A) => boolean
}

/** Work that changes files of a workspace, as a step of its history: a point is before it, and a rewind undoes it. */
export const asEditStep = <A, R>(
  { commands: { folder, journal, secrets }, entry, lifecycle }: Pick<AtResidents, "commands" | "entry" | "lifecycle">,
  { hasChanged = () => true, inParts = false, words }: EditStep<A>,
  work: Effect.Effect<A, PyroError, R>
) =>
  Effect.gen(function*() {
    yield* pointBeforeCommand(lifecycle, entry)
    const client = (yield* callerProject)?.client
    const id = newRequestId()
    const begunMs = yield* nowMs
    const ended = (status: number, changedNothing: boolean) =>
      Effect.map(nowMs, (endedMs) => {
        journal.ended({
          id,
          outcome: "exited",
          status,
          durationMs: endedMs - begunMs,
          stdoutBytes: 0,
          stderrBytes: 0,
          ...(changedNothing ? { changedNothing: true as const } : {})
        })
        journal.flush()
      })
    yield* journaled(folder, () =>
      journal.started({
        id,
        command: ["pyro", ...words].map((word) => secrets.redact(word)),
        startedAt: new Date(begunMs).toISOString(),
        edits: true,
        ...(client === undefined ? {} : { client })
      }))
    faultPoint("edit:journaled")
    return yield* Effect.onExit(
      Effect.tap(work, () => Effect.sync(() => faultPoint("edit:done"))),
      (exit) =>
        // The end of the VM has ended the step meanwhile.
        !journal.isRunning(id)
          ? Effect.void
          : Exit.isSuccess(exit)
          ? ended(0, !hasChanged(exit.value))
          : ended(1, !inParts && !Exit.hasInterrupts(exit))
    )
  })

/** An operation on files as one step of the history. `wordsOf` gives its words after `file`. */
export const editing = <Payload, A, R>(
  wordsOf: (payload: Payload) => ReadonlyArray<string>,
  work: (channel: GuestChannel, payload: Payload) => Effect.Effect<A, PyroError, R>,
  options: Pick<EditStep<A>, "inParts"> = {}
) =>
(at: AtRunning, payload: Payload) =>
  asEditStep(at, { words: ["file", ...wordsOf(payload)], ...options }, work(at.generation.channel, payload))
