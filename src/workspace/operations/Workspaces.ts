import { Context, Effect, Layer, Option, Ref, Scope } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { SecretSet } from "../../redaction/secrets.ts"
import { type Changes, changesOf } from "../disk/changes.ts"
import { touch } from "../entry/activity.ts"
import { type Lifecycle, type LifecycleServices, type Notify, pickServices } from "../entry/context.ts"
import type { Generation } from "../entry/entry.ts"
import { makeRegistry } from "../entry/registry.ts"
import { adoptAll } from "../life/adopt.ts"
import { explainChannelFailure } from "../life/boot.ts"
import { makeClockKeeper } from "../life/clock-keeper.ts"
import { makeIdlePauses, noteUses } from "../life/idle.ts"
import { wakeFor } from "../life/pause.ts"
import { keepMakingPoints } from "../life/point/keeper.ts"
import { expire } from "../life/remove.ts"
import { archiveRoot } from "../life/root-archive.ts"
import { runningGeneration } from "../life/running.ts"
import { makeFlattener } from "../life/snapshot/flatten.ts"
import { leaveAll } from "../life/start-stop.ts"
import { openResidentsOf } from "../residents/entry-residents.ts"
import { demandNoSecrets } from "../residents/secret/whole-content.ts"
import { doChores } from "./chores.ts"
import type { House } from "./perform.ts"

interface WorkspaceRef {
  readonly workspace: string
}

/** The root of a running workspace. */
export interface Root {
  readonly id: string
  readonly environment: string
  /** Writes the root as a tar archive to a new file of the host. */
  readonly archive: (file: string) => Effect.Effect<void, PyroError>
}

/**
 * The workspaces of this installation. One process at a time owns them. A new process adopts the workspaces of its predecessor, which
 * run on after its end. `performing` makes the calls of their operations.
 */
export class Workspaces extends Context.Service<Workspaces, {
  readonly house: House
  readonly root: (
    payload: WorkspaceRef & { readonly allowSecrets?: boolean | undefined }
  ) => Effect.Effect<Root, PyroError>
  /** What a workspace changed, for a commit. The Scope removes it. */
  readonly changes: (
    payload: WorkspaceRef & { readonly allowSecrets?: boolean | undefined },
    notify: Notify
  ) => Effect.Effect<Changes, PyroError, Scope.Scope>
  /** The secrets of a workspace. Undefined if there is no workspace of this name. */
  readonly secretsOf: (payload: WorkspaceRef) => Effect.Effect<ReadonlyArray<SecretSet> | undefined>
  /** Number of running VMs. */
  readonly running: Effect.Effect<number>
}>()("pyro/workspace/Workspaces") {
  static readonly layer = Layer.effect(Workspaces, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const services = pickServices(yield* Effect.context<LifecycleServices>())
  // Not a child of the layer's own scope, which would close this scope before the VMs are released.
  const scope = yield* Scope.make()
  const lifecycle: Lifecycle = { registry: makeRegistry(), scope }
  const { registry } = lifecycle
  yield* Effect.addFinalizer((exit) => Effect.andThen(leaveAll(lifecycle), Scope.close(scope, exit)))
  yield* adoptAll(lifecycle)
  // The layer waits for the end of these fibers before it closes other scopes, because a deletion may be closing one of them.
  yield* doChores([
    { everySeconds: 1, work: Effect.suspend(() => expire(lifecycle)) },
    { everySeconds: 1, work: Effect.suspend(() => noteUses(lifecycle)) },
    { everySeconds: 1, work: makeIdlePauses(lifecycle) },
    // Whether the host has slept.
    { everySeconds: 2, work: yield* makeClockKeeper(registry.entries) },
    {
      everySeconds: 5,
      work: Effect.catchCause(
        makeFlattener(lifecycle),
        (cause) => Effect.logWarning("layers of disks cannot be merged", cause)
      )
    }
  ])
  yield* Effect.forkScoped(keepMakingPoints(lifecycle))
  return Workspaces.of({
    house: { lifecycle, services },
    root: ({ allowSecrets, workspace }) =>
      Effect.gen(function*() {
        const entry = yield* registry.find(workspace)
        yield* demandNoSecrets(entry.folder.directory, "root", { allowSecrets })
        /** Each part of the build by itself: a long part between the two does not need the VM. */
        const inVm = <A>(work: (running: Generation) => Effect.Effect<A, PyroError>) =>
          wakeFor(lifecycle, entry, "env.build").pipe(
            Effect.andThen(runningGeneration(entry, "env.build")),
            Effect.flatMap(work),
            Effect.scoped,
            Effect.provide(services)
          )
        yield* inVm(() => touch(entry.folder))
        const { environment } = yield* Ref.get(entry.record)
        return {
          id: entry.id,
          environment: environment.name,
          archive: (file) => inVm(({ channel, guest }) => explainChannelFailure(guest)(archiveRoot(channel, file)))
        }
      }),
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
      Effect.forEach([...registry.entries.values()], (entry) => Ref.get(entry.generation)),
      (all) => all.filter(Option.isSome).length
    )
  })
})
