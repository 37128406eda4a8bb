import { Effect, Stream } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { crosses, recordCrossing } from "../../../workspace/operations/crossings.ts"
import type { HouseServices } from "../../../workspace/operations/work.ts"
import { formOf, inside, isOfWorkspaces, type WorkWrap } from "./work.ts"

/**
 * Records what crossed between the workspace and the host in the event log, before the caller gets the result.
 *
 * Needs the event log. Stands inside of the lock: the log has crossings and steps of the workspace's life in their order.
 */
export const crossing: WorkWrap = {
  name: "crossing",
  does: "records an import, a push or an export in the event log",
  because: "inside of the lock: crossings and lifecycle steps have one order",
  concerns: (row) => isOfWorkspaces(row) && crosses(row.name),
  around: (row, work) => {
    if (!isOfWorkspaces(row)) return work
    const record = recordCrossing(row.name)
    return formOf(row) === "events"
      ? (payload, at) =>
        Effect.map(work(payload, at), (events) =>
          Stream.tap(
            events as Stream.Stream<unknown, PyroError, HouseServices>,
            record(inside(at), payload)
          ))
      : (payload, at) => Effect.tap(work(payload, at), record(inside(at), payload))
  }
}
