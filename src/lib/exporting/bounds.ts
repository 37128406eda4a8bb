import type { Effect } from "effect"
import type { ExportRefused, NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { AskedExport } from "../../contract/rows/workspace-answer.ts"
import type { Side } from "../patch/model/patch.ts"

/** Waits for the user's answer, and fails if it is no. `notify` tells the caller that it waits. */
export type Consent = (
  asked: AskedExport,
  notify: (waits: Notice) => Effect.Effect<unknown>
) => Effect.Effect<void, ExportRefused>

/** What a file of the host is after a change. */
export interface AppliedFile {
  /** Raw. */
  readonly path: string
  /** Undefined: the file was removed. */
  readonly after: Side | undefined
}

/** Makes changes of the host's files, and then the same changes in the baseline. False: the baseline stays as it was. */
export type MoveBaseline = <E, R>(
  files: ReadonlyArray<AppliedFile>,
  commit: Effect.Effect<void, E, R>
) => Effect.Effect<boolean, E | NoSpace | StateDirectoryUnusable, R>

/** Bounds of the caller, if any. */
export interface ExportBounds {
  /** Folder of the host (symlinks resolved) that must contain the output. */
  readonly within?: string | undefined
  /** Asks the user once the content is complete, and fails if the answer is no. @default no question */
  readonly consent?: Consent | undefined
  /** Makes changes of files together with a move of the baseline. @default the baseline stays */
  readonly moveBaseline?: MoveBaseline | undefined
}
