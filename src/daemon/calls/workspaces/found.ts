import { Effect, Option, Stream } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import type { Entry } from "../../../workspace/entry/entry.ts"
import { failNamed, naming } from "../../../workspace/entry/named-error.ts"
import type { AtAll, HouseServices } from "../../../workspace/operations/work.ts"
import { formOf, isInside, isOfWorkspaces, type WorkWrap } from "./work.ts"

type Asked = { readonly workspace: string }

/** As `naming`, for events that are pulled after the work began. */
const namingPulls = <Event>(entry: Entry, pull: PullEvents<Event>): PullEvents<Event> => (waitMs) =>
  Effect.catch(pull(waitMs), (failure): Effect.Effect<never, Option.Option<PyroError>> =>
    Option.isNone(failure)
      ? Effect.fail(failure)
      : Effect.mapError(failNamed(entry)(failure.value), Option.some))

/** As `failNamed`, for work that finds the workspace of its payload by itself, such as a fork or a try. */
const failAsked = ({ registry }: AtAll, payload: unknown) => (error: PyroError): Effect.Effect<never, PyroError> => {
  const { workspace } = payload as Partial<Asked>
  return typeof workspace !== "string"
    ? Effect.fail(error)
    : Effect.flatMap(
      Effect.option(registry.find(workspace)),
      (found) => Option.isNone(found) ? Effect.fail(error) : failNamed(found.value)(error)
    )
}

type Fail = (error: PyroError) => Effect.Effect<never, PyroError>

const failingEvents = (given: unknown, fail: Fail) =>
  Stream.catch(
    given as Stream.Stream<unknown, PyroError, HouseServices>,
    (error) => Stream.fromEffect(fail(error))
  )

/**
 * Finds the workspace that the payload names, for a row with a place (`on`). Errors of the work and of its later events name the workspace.
 *
 * Needs the registry. Stands outside of every line that uses the workspace.
 */
export const found: WorkWrap = {
  name: "found",
  does: "finds the workspace, and names it in errors",
  because: "outside of every line that uses the workspace",
  concerns: isOfWorkspaces,
  around: (row, work) => {
    const form = formOf(row)
    if (!isInside(row)) {
      return (payload, at) => {
        const fail = failAsked(at, payload)
        const done = Effect.catch(work(payload, at), fail)
        return form === "events" ? Effect.map(done, (given) => failingEvents(given, fail)) : done
      }
    }
    return (payload, at) =>
      Effect.flatMap(at.registry.find((payload as Asked).workspace), (entry) => {
        const done = naming(entry)(work(payload, { ...at, entry } as typeof at))
        return form === "pulls"
          ? Effect.map(done, (pull) => namingPulls(entry, pull as PullEvents<unknown>))
          : form === "events"
          ? Effect.map(done, (given) => failingEvents(given, failNamed(entry)))
          : done
      })
  }
}
