import { Context, Effect, Layer, Stream } from "effect"
import type { PyroError } from "../contract/errors.ts"
import { callFromPull } from "../contract/event-batches.ts"
import type { Secrets } from "../contract/operations/secret-fields.ts"
import { Pyro, type PyroService } from "../contract/Pyro.ts"
import { SeedImages } from "../disk/SeedImages.ts"
import { Environments } from "../environment/Environments.ts"
import { Kernel } from "../environment/Kernel.ts"
import { Dialler } from "../network/Dialler.ts"
import { KnownSecrets } from "../redaction/known.ts"
import { checkSettings } from "../system/config.ts"
import { Paths } from "../system/Paths.ts"
import { HostFacts } from "../vm/HostFacts.ts"
import { Pool } from "../vm/Pool.ts"
import { Vmm } from "../vm/Vmm.ts"
import { EventLog } from "../workspace/entry/events.ts"
import { PortHolders } from "../workspace/entry/port-holders.ts"
import type { Workspaces } from "../workspace/operations/Workspaces.ts"
import { showHostLists } from "../workspace/residents/network/show.ts"
import { unstoredSecrets } from "../workspace/residents/secret/workspace-secrets.ts"
import { showConfiguration } from "./configuration.ts"
import { daemonLogs, daemonStatus, daemonStatusWithMetrics, daemonStop, daemonTimings } from "./daemon-control.ts"
import { demandDiskRoom, tendDisk } from "./disk/budget.ts"
import { doctor } from "./doctor/doctor.ts"
import {
  buildEnvironment,
  inspectEnvironment,
  listEnvironments,
  pruneEnvironments,
  pullEnvironment,
  removeEnvironments
} from "./environments.ts"
import { withExactNames } from "./exact-names.ts"
import { gc } from "./gc.ts"
import { prepare } from "./prepare.ts"
import { withoutSecrets } from "./redacted-pyro.ts"
import { run } from "./run.ts"
import { takeWorkspaces } from "./workspaces.ts"

const withoutKnownSecrets = Vmm.layerQemu.pipe(
  Layer.provideMerge(Layer.mergeAll(Environments.layer, SeedImages.layer)),
  Layer.provideMerge(Layer.mergeAll(Kernel.layer, HostFacts.layer, Dialler.layer)),
  Layer.provideMerge(Layer.mergeAll(EventLog.layer, Paths.layer, PortHolders.layer)),
  // Before any of these begins: each reads its own variables when it needs them.
  Layer.provideMerge(Layer.effectDiscard(checkSettings))
)

/** The services that the work is done with, all in this process. */
export const services = Layer.provideMerge(withoutKnownSecrets, KnownSecrets.layer)
type Services = Layer.Layer.Success<typeof services>

/** Interval of the checks of the disk budget. */
const tendEvery = "60 seconds"

/** @param pooled whether `run` takes its microVM from the pool of the process that has the workspaces */
const make = (pooled: boolean) =>
  Effect.gen(function*() {
    // These alone: the context of a Layer under construction also holds the Layer's own Scope.
    const context = Context.pick(
      Dialler,
      Environments,
      EventLog,
      HostFacts,
      Kernel,
      KnownSecrets,
      Paths,
      PortHolders,
      SeedImages,
      Vmm
    )(yield* Effect.context<Services>())
    const effect = <A, E, R extends Services>(work: Effect.Effect<A, E, R>) => Effect.provide(work, context)
    const stream = <A, E, R extends Services>(work: Stream.Stream<A, E, R>) =>
      Stream.provideContext(work, context as Context.Context<R>)
    const taking = yield* Effect.cached(effect(takeWorkspaces(yield* Effect.scope)))
    let known: Effect.Effect.Success<typeof taking> | undefined
    // Asked for by every operation: `cached` alone would wait for what is there.
    const taken = Effect.suspend(() =>
      known === undefined ? Effect.tap(taking, (all) => Effect.sync(() => known = all)) : Effect.succeed(known)
    )
    const of = <A, E, R = never>(use: (workspaces: Workspaces["Type"]) => Effect.Effect<A, E, R>) =>
      Effect.flatMap(taken, ({ workspaces }) => use(workspaces))
    const eventsOf = <A, E>(use: (workspaces: Workspaces["Type"]) => Stream.Stream<A, E>) =>
      Stream.unwrap(Effect.map(taken, ({ workspaces }) => use(workspaces)))
    /** Streams of operations that make something new: too little disk space refuses them before their first step. */
    const withRoom = <A, E, R>(work: Stream.Stream<A, E, R>) => Stream.unwrap(Effect.as(effect(demandDiskRoom), work))
    if (pooled) {
      yield* effect(tendDisk).pipe(
        Effect.delay(tendEvery),
        Effect.catchAllCause((cause) => Effect.logWarning("caches cannot be evicted", cause)),
        Effect.forever,
        Effect.forkScoped
      )
    }
    const pyro: PyroService = {
      run: (payload, input) =>
        withRoom(
          pooled
            ? Stream.unwrap(
              Effect.map(taken, ({ pool }) => stream(Stream.provideService(run(payload, input), Pool, pool)))
            )
            : stream(run(payload, input))
        ),
      workspace: {
        create: (payload) => withRoom(eventsOf((all) => all.create(payload))),
        list: ({ labels }) => of((all) => Effect.map(all.list(labels), (workspaces) => ({ workspaces }))),
        status: (payload) => of((all) => all.status(payload)),
        exec: callFromPull((payload, input) => of((all) => all.exec(payload, input))),
        logs: (payload) => of((all) => all.logs(payload)),
        cancel: (payload) => of((all) => all.cancel(payload)),
        shell: {
          open: (payload) => of(({ shell }) => shell.open(payload)),
          list: (payload) => of(({ shell }) => shell.list(payload)),
          read: (payload) => of(({ shell }) => shell.read(payload)),
          write: (payload) => of(({ shell }) => shell.write(payload)),
          attach: callFromPull((payload, input) => of(({ shell }) => shell.attach(payload, input))),
          resize: (payload) => of(({ shell }) => shell.resize(payload)),
          signal: (payload) => of(({ shell }) => shell.signal(payload)),
          close: (payload) => of(({ shell }) => shell.close(payload))
        },
        service: {
          start: (payload) => of(({ service }) => service.start(payload)),
          list: (payload) => of(({ service }) => Effect.map(service.list(payload), (services) => ({ services }))),
          status: (payload) => of(({ service }) => service.status(payload)),
          logs: (payload) => of(({ service }) => service.logs(payload)),
          stop: (payload) => of(({ service }) => service.stop(payload))
        },
        file: {
          list: (payload) => of(({ content }) => content.listFiles(payload)),
          read: (payload) => of(({ content }) => content.readFile(payload)),
          write: (payload) => of(({ content }) => content.writeFile(payload)),
          edit: (payload) => of(({ content }) => content.editFile(payload))
        },
        summary: (payload) => of((all) => all.summary(payload)),
        diff: (payload) => of(({ content }) => content.diff(payload)),
        patch: { apply: (payload) => of(({ content }) => content.applyPatch(payload)) },
        export: (payload) => eventsOf(({ content }) => content.export(payload)),
        import: (payload) => of(({ content }) => content.import(payload)),
        sync: { push: (payload) => of(({ content }) => content.syncPush(payload)) },
        reset: (payload) => eventsOf((all) => all.reset(payload)),
        snapshot: {
          create: (payload) => withRoom(eventsOf(({ snapshot }) => snapshot.create(payload))),
          list: (payload) => of(({ snapshot }) => Effect.map(snapshot.list(payload), (snapshots) => ({ snapshots }))),
          delete: (payload) => of(({ snapshot }) => Effect.map(snapshot.delete(payload), (deleted) => ({ deleted })))
        },
        fork: (payload) => withRoom(eventsOf((all) => all.fork(payload))),
        compare: (payload) => of((all) => all.compare(payload)),
        rename: (payload) => of((all) => all.update({ ...payload, labels: {}, clearLabels: [] })),
        update: (payload) => of((all) => all.update(payload)),
        stop: (payload) => eventsOf((all) => all.stop(payload)),
        start: (payload) => eventsOf((all) => all.start(payload)),
        disk: {
          list: (payload) => of(({ disk }) => disk.list(payload)),
          read: (payload) => of(({ disk }) => disk.read(payload)),
          export: (payload) => eventsOf(({ disk }) => disk.export(payload))
        },
        network: {
          set: (payload) => of(({ network }) => network.set(payload)),
          log: (payload) => of(({ network }) => network.log(payload))
        },
        events: (payload) => of((all) => all.events(payload)),
        port: {
          publish: (payload) => of(({ port }) => port.publish(payload)),
          list: (payload) => of(({ port }) => port.list(payload)),
          unpublish: (payload) => of(({ port }) => port.unpublish(payload))
        },
        delete: (payload) =>
          of((all) =>
            Effect.map(all.remove(payload), (gone) => ({
              deleted: gone.map(({ id }) => id),
              names: gone.map(({ id, name }) => name ?? id)
            }))
          )
      },
      watch: (payload) => eventsOf((all) => all.watch(payload)),
      network: { lists: () => showHostLists },
      env: {
        list: () => effect(listEnvironments),
        pull: (payload) => stream(pullEnvironment(payload)),
        inspect: ({ environment }) => effect(inspectEnvironment(environment)),
        build: (payload) => stream(buildEnvironment(payload, (workspace) => of((all) => all.root({ workspace })))),
        rm: ({ environments }) => effect(removeEnvironments(environments)),
        prune: () => effect(pruneEnvironments)
      },
      doctor: (payload) => stream(doctor(payload)),
      prepare: (payload) => stream(prepare(pyro)(payload)),
      config: () => effect(showConfiguration),
      gc: () => effect(gc),
      daemon: {
        status: () => effect(pooled ? daemonStatusWithMetrics : daemonStatus),
        stop: () => effect(daemonStop),
        logs: (payload) => effect(daemonLogs(payload)),
        timings: daemonTimings
      }
    }
    /** The secrets of the workspace that a request names, else of all. */
    const secretsOf = (payload: unknown) =>
      Effect.suspend(() => {
        const all = Context.get(context, KnownSecrets).sets()
        const { secrets, workspace } = payload as { readonly secrets?: Secrets; readonly workspace?: unknown }
        const given = secrets === undefined ? undefined : unstoredSecrets(secrets).set
        const others = given === undefined ? all : [...all, given]
        return others.length === 0 || typeof workspace !== "string" || known === undefined
          ? Effect.succeed(others)
          : Effect.map(known.workspaces.secretsOf({ workspace }), (own) => own ?? others)
      })
    return Context.make(Pyro, withoutSecrets(withExactNames(pyro), secretsOf))
  })

/** Pyro without a daemon: everything is done in this process and ends with it, but for workspaces, which outlive it. */
export const layer: Layer.Layer<Pyro, PyroError> = Layer.scopedContext(make(false)).pipe(Layer.provide(services))

/** The same for a process that stays: `run` takes its microVMs from the pool, and the process's log has none of the secrets that are known. */
export const layerResident: Layer.Layer<Pyro, PyroError, KnownSecrets> = Layer.scopedContext(make(true)).pipe(
  Layer.provide(withoutKnownSecrets)
)
