import { Cause, Effect, Option } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { WorkspaceInfo } from "../contract/rows/workspace-info.ts"
import { workspaceStatus } from "../contract/rows/workspace-lifecycle.ts"
import { type DeletePayload, workspaceDelete } from "../contract/rows/workspace-reset.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { within } from "../system/waits/within.ts"
import { lost } from "./connection/failures.ts"
import type { Session } from "./connection/session.ts"
import { unary } from "./unary.ts"

/** How an operation makes workspaces, whichever its payload and its events are. */
export interface Makes {
  readonly count: (payload: never) => number
  readonly done: (workspaces: ReadonlyArray<never>) => unknown
}

/** A daemon undoes the creation of a client that is gone. Longest wait for this, in ms. */
const UNDONE_MS = 60_000

const LOOK_MS = 50

const newWorkspaceId = () => `ws-${newRequestId().slice(0, 10)}`

const isUnreadable = (cause: Cause.Cause<Option.Option<PyroError>>) =>
  Option.exists(Option.flatten(Cause.findErrorOption(cause)), ({ _tag }) => _tag === "MessageUnreadable")

/** The workspaces of one request, which the client finds again by their ids when the answer is lost. */
export const makeMinted = (session: Session, count: number) => {
  const ids = Array.from({ length: count }, newWorkspaceId)
  const status = unary(session, workspaceStatus) as (payload: unknown) => Effect.Effect<WorkspaceInfo, PyroError>
  const remove: (payload: DeletePayload) => Effect.Effect<unknown, PyroError> = unary(session, workspaceDelete)
  const settled = (id: string): Effect.Effect<WorkspaceInfo, PyroError> =>
    Effect.flatMap(
      status({ workspace: id }),
      (info) => info.state === "creating" ? Effect.delay(settled(id), LOOK_MS) : Effect.succeed(info)
    )
  return {
    ids,
    /** The workspaces of a request whose answer was lost. Fails if they do not exist. */
    find: Effect.forEach(ids, settled).pipe(
      Effect.timeoutOrElse({
        duration: UNDONE_MS,
        orElse: () => Effect.fail(lost(`before it was done; look at it: pyro status ${ids[0]}`))
      }),
      Effect.catchIf(
        ({ _tag }) => _tag === "WorkspaceNotFound",
        () => Effect.fail(lost("before it was done, and nothing of it is left; ask again"))
      )
    ),
    /** Removes the workspaces of a request that met a defect, or whose answer cannot be read: its caller does not know them. */
    removeAfter: (cause: Cause.Cause<Option.Option<PyroError>>) =>
      Cause.hasDies(cause) || isUnreadable(cause)
        ? within(
          UNDONE_MS,
          // A failure here would take the place of the defect.
          Effect.forEach(
            ids,
            (id) => Effect.catchCause(remove({ workspaces: [id], all: false }), () => Effect.void),
            {
              discard: true
            }
          )
        )
        : Effect.void
  } as const
}
