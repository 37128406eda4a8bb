import { Context, Effect, Layer, Scope } from "effect"
import { devContainerCalls } from "../building/calls.ts"
import { deleteLeftBuilders } from "../building/left.ts"
import type { PyroError } from "../contract/errors/errors.ts"
import { callOf, mapCalls, Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import type { Secrets } from "../contract/rows/secret-fields.ts"
import { SeedImages } from "../lib/disk/SeedImages.ts"
import { Environments } from "../lib/environment/Environments.ts"
import { Kernel } from "../lib/environment/Kernel.ts"
import { Dialler } from "../lib/network/Dialler.ts"
import { SecretRegistry } from "../lib/redaction/secrets.ts"
import { HostFacts } from "../lib/vm/model/HostFacts.ts"
import { Vmm } from "../lib/vm/Vmm.ts"
import { Paths } from "../system/files/Paths.ts"
import { once } from "../system/waits/effects.ts"
import { EventLog } from "../workspace/entry/events.ts"
import { PortHolders } from "../workspace/entry/port-holders.ts"
import { failNamingUnused } from "../workspace/operations/unused.ts"
import { unstoredSecrets } from "../workspace/residents/secret/workspace-secrets.ts"
import { demandDiskRoom, tendDisk } from "./app/disk/budget.ts"
import { callOfHost, hostWorks } from "./app/operations.ts"
import { type HostServices, services, servicesBesideSecrets } from "./app/services.ts"
import { ownWorkspaces } from "./app/workspaces.ts"
import type { AnyCall, Process } from "./calls/answer/call.ts"
import { answerOf, ownCallOf, workspaceCall } from "./calls/list.ts"
import { isOfWorkspaces } from "./calls/workspaces/work.ts"

/** Interval of the checks of the disk budget. */
const tendEvery = "60 seconds"

/** @param pooled whether `run` takes its microVM from the pool of the process that has the workspaces */
const make = (pooled: boolean) =>
  Effect.gen(function*() {
    // Not the whole context: under construction, it also has the Layer's own Scope.
    const context = Context.pick(
      Dialler,
      Environments,
      EventLog,
      HostFacts,
      Kernel,
      SecretRegistry,
      Paths,
      PortHolders,
      SeedImages,
      Vmm
    )(yield* Effect.context<HostServices>())
    const effect = <A, E, R extends HostServices>(work: Effect.Effect<A, E, R>) => Effect.provide(work, context)
    const scope = yield* Effect.scope
    const owning = yield* once(
      effect(ownWorkspaces(scope)).pipe(
        Effect.tap(({ workspaces }) => effect(Scope.provide(deleteLeftBuilders(workspaces, () => pyro), scope)))
      )
    )
    let known: Effect.Success<typeof owning> | undefined
    // Every operation asks: `once` alone would cost a mask and a wait for a known value.
    const owned = Effect.suspend(() =>
      known === undefined ? Effect.tap(owning, (all) => Effect.sync(() => known = all)) : Effect.succeed(known)
    )
    if (pooled) {
      yield* effect(tendDisk).pipe(
        Effect.delay(tendEvery),
        Effect.catchCause((cause) => Effect.logWarning("caches cannot be evicted", cause)),
        Effect.forever,
        Effect.forkScoped
      )
    }
    const works = hostWorks({
      isResident: pooled,
      pool: Effect.map(owned, ({ pool }) => pool),
      changesOf: (payload, notify) => Effect.flatMap(owned, ({ workspaces }) => workspaces.changes(payload, notify)),
      pyro: () => pyro
    })
    const house = Effect.map(owned, ({ workspaces }) => workspaces.house)
    /** The secrets of the workspace that a request names, else of all workspaces. */
    const secretsOf = (payload: unknown) =>
      Effect.suspend(() => {
        const all = Context.get(context, SecretRegistry).sets()
        const { secrets, workspace } = payload as { readonly secrets?: Secrets; readonly workspace?: unknown }
        const given = secrets === undefined ? undefined : unstoredSecrets(secrets).set
        const others = given === undefined ? all : [...all, given]
        return others.length === 0 || typeof workspace !== "string" || known === undefined
          ? Effect.succeed(others)
          : Effect.map(known.workspaces.secretsOf({ workspace }), (own) => own ?? others)
      })
    const process: Process = {
      secretsOf,
      demandRoom: effect(demandDiskRoom),
      // A process that does not stay owns workspaces only if an operation needs them.
      failNamed: (failure) =>
        pooled || known !== undefined
          ? Effect.flatMap(house, ({ lifecycle }) => failNamingUnused(lifecycle.registry)(failure))
          : Effect.fail(failure),
      ofRecipes: devContainerCalls({ pyro: () => pyro, house, context })
    }
    const pyro: PyroService = mapCalls((row) =>
      ownCallOf(
        row,
        isOfWorkspaces(row) ? workspaceCall(row, house) : callOfHost(works, row, context) as AnyCall,
        process
      )
    )
    return Context.make(Pyro, mapCalls((row) => answerOf(row, callOf(pyro, row) as AnyCall, process)))
  })

/** Pyro without a daemon, over services of the host. */
export const layerOver = <E>(services: Layer.Layer<HostServices, E>): Layer.Layer<Pyro, E> =>
  Layer.provide(Layer.effectContext(make(false)), services)

/** Pyro without a daemon: all work is done in this process, and ends with it. Workspaces outlive the process. */
export const layer: Layer.Layer<Pyro, PyroError> = layerOver(services)

/** The same for a process that stays: `run` takes its microVMs from the pool, and the log has no known secret. */
export const layerResident: Layer.Layer<Pyro, PyroError, SecretRegistry> = Layer.effectContext(make(true)).pipe(
  Layer.provide(servicesBesideSecrets)
)
