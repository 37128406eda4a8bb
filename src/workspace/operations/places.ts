import { Effect, type Scope } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { WorkspaceOperation } from "../../contract/rows/operation-states.ts"
import { touch } from "../entry/activity.ts"
import type { Lifecycle, LifecycleServices } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { explainEnd } from "../life/explain-end.ts"
import { borrowReader } from "../life/reader.ts"
import { runningGeneration } from "../life/running.ts"
import { residentsOf } from "../residents/entry-residents.ts"
import type { AtReader, AtRunning } from "./work.ts"

/** Work with the running VM of a workspace. If that VM ends meanwhile, its end is the error. */
export const inRunning = <A, R>(
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation,
  { writes }: { readonly writes: boolean },
  work: (at: AtRunning) => Effect.Effect<A, PyroError, R>
): Effect.Effect<A, PyroError, R> =>
  Effect.gen(function*() {
    const generation = yield* runningGeneration(entry, operation)
    const residents = yield* residentsOf(entry, operation)
    if (writes) yield* touch(entry.folder)
    return yield* explainEnd({ entry, generation })(
      work({ ...residents, lifecycle, registry: lifecycle.registry, entry, generation })
    )
  })

/** Work with a guest that reads a workspace in its present state. */
export const inReader = <A, R>(
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation,
  work: (at: AtReader) => Effect.Effect<A, PyroError, R>
): Effect.Effect<A, PyroError, LifecycleServices | Exclude<R, Scope.Scope>> =>
  Effect.scoped(Effect.flatMap(
    borrowReader(lifecycle, entry, operation),
    ({ channel, explain }) => explain(work({ lifecycle, registry: lifecycle.registry, entry, channel }))
  ))
