import { Effect, Option, type Scope, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../contract/errors/errors.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../contract/rows/workspace-info.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { pyro } from "./effects.ts"
import type { Options } from "./options.ts"

/** Label of workspaces that belong to a Scope of a program. Finds a workspace whose creation was interrupted. */
const SCOPE_LABEL = "pyro.scope"

const remove = (workspaces: ReadonlyArray<string>) =>
  pyro.workspace.delete({ workspaces }).pipe(
    // The workspace has expired, or another client deleted it.
    Effect.catchTag("WorkspaceNotFound", () => Effect.void),
    Effect.ignoreCause
  )

/**
 * A workspace that the Scope owns. The Scope's end deletes the workspace and its forks, which have its labels, also after an
 * interrupted creation. The workspace survives only a killed process; `ttlSeconds` bounds this case.
 */
export const acquireWorkspace = (
  options: Options<"workspace.create"> = {}
): Effect.Effect<WorkspaceInfo, PyroError, Pyro | Scope.Scope> =>
  Effect.gen(function*() {
    const id = newRequestId()
    const labels = { ...options.labels, [SCOPE_LABEL]: id }
    // Before the creation: an interrupted one may have made the workspace.
    yield* Effect.addFinalizer(() =>
      pyro.workspace.list({ labels: { [SCOPE_LABEL]: id } }).pipe(
        Effect.flatMap(({ workspaces }) =>
          workspaces.length === 0 ? Effect.void : remove(workspaces.map((one) => one.id))
        ),
        Effect.ignoreCause
      )
    )
    const last = yield* Stream.runLast(pyro.workspace.create({ ...options, labels }))
    return Option.isSome(last) && last.value._tag === "Ready"
      ? last.value.workspace
      : yield* new ChannelFailed({ detail: "the workspace's creation ended without it" })
  })
