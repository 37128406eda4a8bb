import { Effect, Exit } from "effect"
import type { PayloadOf, ResultOf } from "../../contract/rows/operations.ts"
import { callerProject } from "../../contract/wire/caller-project.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import { faultPoint } from "../../system/waits/fault.ts"
import { nowMs } from "../../system/waits/time.ts"
import { journaled } from "../residents/exec/running.ts"
import type { AtResidents, WorkspacesOperation } from "./work.ts"

/** How an operation stands in the history. */
interface EditStep<A> {
  /** Its words, as on a command line. */
  readonly words: ReadonlyArray<string>
  /** A failure may have changed some of the files. @default a failure has changed nothing */
  readonly inParts?: boolean
  /** Whether it changed something. @default it did */
  readonly hasChanged?: (result: A) => boolean
}

type Edits = {
  readonly [Name in WorkspacesOperation]?: (payload: PayloadOf<Name>) => EditStep<ResultOf<Name>> | undefined
}

/**
 * The step of each operation that changes files, from its request. Undefined: the request changes nothing. `workspace.file.upload` is not in
 * this table: its step lasts as long as the caller sends bytes.
 */
const edits: Edits = {
  "workspace.file.write": ({ path }) => ({ words: ["file", "write", path] }),
  "workspace.file.edit": ({ path }) => ({ words: ["file", "edit", path] }),
  "workspace.file.mkdir": ({ path }) => ({ words: ["file", "mkdir", path], inParts: true }),
  "workspace.file.remove": ({ path }) => ({ words: ["file", "remove", path], inParts: true }),
  "workspace.file.rename": ({ path, target }) => ({ words: ["file", "rename", path, target] }),
  "workspace.file.copy": ({ path, target }) => ({ words: ["file", "copy", path, target], inParts: true }),
  "workspace.file.chmod": ({ mode, path }) => ({ words: ["file", "chmod", path, mode] }),
  "workspace.patch.apply": ({ check }) => check ? undefined : { words: ["patch", "apply"] },
  "workspace.sync.push": ({ sourcePath }) => ({
    words: ["sync", "push", sourcePath],
    inParts: true,
    hasChanged: ({ filesPushed }) => filesPushed > 0
  }),
  "workspace.import": ({ path, sourcePath }) => ({ words: ["import", sourcePath, path], inParts: true })
}

/** The step of an operation, from its request. Undefined: the operation changes no files. */
export const editOf = (name: WorkspacesOperation) =>
  edits[name] as ((payload: unknown) => EditStep<unknown> | undefined) | undefined

/** Work that changes files of a workspace, as a step of its history. A rewind undoes the step. */
export const asEditStep = <A, E, R>(
  { commands: { folder, journal, secrets } }: Pick<AtResidents, "commands">,
  { hasChanged = () => true, inParts = false, words }: EditStep<A>,
  work: Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
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
