import { Context, Effect, Layer, Option, Scope } from "effect"
import type { SecretSet } from "../../lib/redaction/secrets.ts"
import { makeAbsences } from "../../system/waits/time.ts"
import { type Changes, changesOf, type ChangesUnread } from "../disk/changes.ts"
import { type Lifecycle, type Notify } from "../entry/context.ts"
import { makeRegistry } from "../entry/registry.ts"
import { makeClockKeeper } from "../life/guest/clock-keeper.ts"
import { keepMakingPoints } from "../life/points/keeper.ts"
import { makeFlattener } from "../life/snapshot/flatten.ts"
import { removeOverTries } from "../life/snapshot/hidden.ts"
import { adoptAll } from "../life/verbs/adopt.ts"
import { makeIdlePauses, noteUses } from "../life/verbs/idle.ts"
import { makeExpiry } from "../life/verbs/remove.ts"
import { leaveAll } from "../life/verbs/start-stop.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"
import { doChores } from "./chores.ts"
import { type House, type HouseServices, pickHouseServices } from "./work.ts"

interface WorkspaceRef {
  readonly workspace: string
}

/**
 * The workspaces of this installation. One process at a time owns them. A new process adopts the workspaces of its predecessor, which
 * run on after its end. The daemon's list of calls (`daemon/calls/list.ts`) surrounds their work.
 */
export class Workspaces extends Context.Service<Workspaces, {
  readonly house: House
  /** What a workspace changed, for a commit. The Scope removes it. */
  readonly changes: (
    payload: WorkspaceRef & { readonly allowSecrets?: boolean | undefined },
    notify: Notify
  ) => Effect.Effect<Changes, ChangesUnread, Scope.Scope>
  /** The secrets of a workspace. Undefined if there is no workspace of this name. */
  readonly secretsOf: (payload: WorkspaceRef) => Effect.Effect<ReadonlyArray<SecretSet> | undefined>
  /** Number of running VMs. */
  readonly running: Effect.Effect<number>
}>()("pyro/workspace/Workspaces") {
  static readonly layer = Layer.effect(Workspaces, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const services = pickHouseServices(yield* Effect.context<HouseServices>())
  // Not a child of the layer's own scope, which would close this scope before the VMs are released.
  const scope = yield* Scope.make()
  const lifecycle: Lifecycle = { registry: makeRegistry(), scope }
  const { registry } = lifecycle
  yield* Effect.addFinalizer((exit) => Effect.andThen(leaveAll(lifecycle), Scope.close(scope, exit)))
  yield* adoptAll(lifecycle)
  // The layer waits for the end of these fibers before it closes other scopes, because a deletion may be closing one of them.
  const absences = makeAbsences()
  yield* doChores([
    { everySeconds: 1, work: makeExpiry(lifecycle, absences) },
    { everySeconds: 1, work: Effect.suspend(() => noteUses(lifecycle)) },
    { everySeconds: 1, work: makeIdlePauses(lifecycle, absences) },
    { everySeconds: 600, work: Effect.suspend(() => removeOverTries(lifecycle)) },
    // Whether the host has slept.
    { everySeconds: 2, work: yield* makeClockKeeper(registry.entries) },
    {
      everySeconds: 5,
      work: Effect.catchCause(
        makeFlattener(lifecycle),
        (cause) => Effect.logWarning("layers of disks cannot be merged", cause)
      )
    }
  ], absences.beat)
  yield* Effect.forkScoped(keepMakingPoints(lifecycle))
  return Workspaces.of({
    house: { lifecycle, services },
    changes: ({ allowSecrets, workspace }, notify) =>
      Effect.flatMap(registry.find(workspace), (entry) => changesOf(lifecycle, entry, { allowSecrets, notify })).pipe(
        Effect.provide(services)
      ),
    secretsOf: ({ workspace }) =>
      Effect.orElseSucceed(
        Effect.map(
          Effect.flatMap(registry.find(workspace), openResidentsOf),
          (residents) => Option.toArray(residents).flatMap(({ secrets: { set } }) => set === undefined ? [] : [set])
        ),
        () => undefined
      ),
    running: Effect.map(
      Effect.forEach([...registry.entries.values()], (entry) => entry.generation.now),
      (all) => all.filter(Option.isSome).length
    )
  })
})
