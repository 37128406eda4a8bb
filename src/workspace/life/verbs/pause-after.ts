import { Effect } from "effect"
import type { InvalidConfiguration } from "../../../contract/errors/errors.ts"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import { isKeptAlive, KEEP_ALIVE_SECONDS } from "../../../contract/wire/keep-alive.ts"
import { setting } from "../../../system/settings/config.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"

/** The time of workspaces that an agent host creates: agent hosts do not tell pyro that a conversation has ended. */
const AGENTS_SECONDS = 3_600

/** The field of a record. 0 means never. */
export const recordedPause = (seconds: number | undefined): Pick<WorkspaceRecord, "pauseAfterSeconds"> =>
  seconds === undefined || seconds === 0 ? {} : { pauseAfterSeconds: seconds }

/**
 * Time without a use until a new workspace is paused: of the request, else of its origin, else of the configuration. Without any of them,
 * a workspace of a person runs on, and that of an agent host or of a program's handle has a time of its kind.
 */
export const pauseOfNew = (
  { pauseAfterSeconds }: Pick<CreatePayload, "pauseAfterSeconds">,
  origin?: Pick<WorkspaceRecord, "pauseAfterSeconds">
): Effect.Effect<Pick<WorkspaceRecord, "pauseAfterSeconds">, InvalidConfiguration> =>
  Effect.gen(function*() {
    const known = pauseAfterSeconds ?? origin?.pauseAfterSeconds ?? (yield* setting("PYRO_PAUSE_AFTER_SECONDS"))
    if (known !== undefined) return recordedPause(known)
    if ((yield* callerProject) !== undefined) return recordedPause(AGENTS_SECONDS)
    return recordedPause((yield* isKeptAlive) ? KEEP_ALIVE_SECONDS : undefined)
  })
