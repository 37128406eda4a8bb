import { Context, Effect, Layer, Mailbox, Option, Ref, Schedule, Scope, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors.ts"
import type { Notice } from "../../contract/notice.ts"
import type { WorkspaceOperation } from "../../contract/operation-states.ts"
import type { CancelPayload, CancelResult } from "../../contract/operations/workspace-cancel.ts"
import type { ComparePayload } from "../../contract/operations/workspace-compare.ts"
import type { DeletePayload } from "../../contract/operations/workspace-delete.ts"
import type { DiffResult } from "../../contract/operations/workspace-diff.ts"
import type {
  DiskContent,
  DiskExportEvent,
  DiskExportPayload,
  DiskList,
  DiskListPayload,
  DiskReadPayload
} from "../../contract/operations/workspace-disk.ts"
import type { ExecPayload } from "../../contract/operations/workspace-exec.ts"
import type { ForkEvent, ForkPayload } from "../../contract/operations/workspace-fork.ts"
import type { WorkspaceInfo } from "../../contract/operations/workspace-info.ts"
import type { CreatePayload, WorkspaceEvent } from "../../contract/operations/workspace-lifecycle.ts"
import type { LogsPayload, LogsResult } from "../../contract/operations/workspace-logs.ts"
import type {
  NetworkLogPayload,
  NetworkLogResult,
  NetworkSetPayload,
  NetworkSetResult
} from "../../contract/operations/workspace-network.ts"
import type { ResetPayload } from "../../contract/operations/workspace-reset.ts"
import type { SnapshotEvent, SnapshotInfo, SnapshotPayload } from "../../contract/operations/workspace-snapshot.ts"
import type { SummaryResult } from "../../contract/operations/workspace-summary.ts"
import type { UpdatePayload } from "../../contract/operations/workspace-update.ts"
import type { RunInput } from "../../contract/run-input.ts"
import type { SecretSet } from "../../redaction/output-filter.ts"
import { demandOneSeed } from "../../seeding/request.ts"
import { inOwnFiber } from "../../system/scopes.ts"
import { compare } from "../content/compare/compare.ts"
import { makeDisk } from "../disk/disk.ts"
import { type Lifecycle, type LifecycleServices, type Notify, pickServices } from "../entry/context.ts"
import { damagedInfo, isDamaged } from "../entry/damaged.ts"
import type { Entry } from "../entry/entry.ts"
import { EventLog } from "../entry/events.ts"
import { touch } from "../entry/record.ts"
import { makeRegistry } from "../entry/registry.ts"
import { adoptAll } from "../life/adopt.ts"
import { explainChannelFailure } from "../life/boot.ts"
import { makeClockKeeper } from "../life/clock-keeper.ts"
import { create } from "../life/create.ts"
import { expire } from "../life/expire.ts"
import { leaveAll } from "../life/leave.ts"
import { borrowReader } from "../life/reader.ts"
import { type Deleted, removeAll } from "../life/remove.ts"
import { reset } from "../life/reset.ts"
import { archiveRoot } from "../life/root-archive.ts"
import { runningGeneration, standstillOf } from "../life/running.ts"
import { makeFlattener } from "../life/snapshot/flatten-idle.ts"
import { fork } from "../life/snapshot/fork.ts"
import { createSnapshot, deleteSnapshot, listSnapshots } from "../life/snapshot/keep.ts"
import { wholeSnapshotName } from "../life/snapshot/record.ts"
import { resetTo } from "../life/snapshot/reset-to.ts"
import { start } from "../life/start.ts"
import { stop } from "../life/stop.ts"
import { update } from "../life/update.ts"
import { commandsOf, openResidentsOf } from "../residents/entry-residents.ts"
import { cancel } from "../residents/exec/cancel.ts"
import { withExecId } from "../residents/exec/exec-id.ts"
import { exec, type ExecPull } from "../residents/exec/exec.ts"
import { logs } from "../residents/exec/logs.ts"
import { grantOfCaller } from "../residents/network/ceiling.ts"
import { setNetwork } from "../residents/network/set.ts"
import { showNetworkLog } from "../residents/network/show.ts"
import { type Content, makeContent, type UseOptions } from "./content.ts"
import { type HostOperations, makeHostOperations } from "./host-operations.ts"
import { infoOf } from "./info.ts"
import { makeShellOperations, type ShellOperations } from "./shell.ts"
import { summarize } from "./summary.ts"

type Events = Stream.Stream<WorkspaceEvent, PyroError>
interface Named {
  readonly workspace: string
}

/**
 * The workspaces of this installation. One process at a time owns them. The process adopts the workspaces of its predecessor, and
 * leaves its own running at its end.
 */
export class Workspaces extends Context.Tag("pyro/workspace/Workspaces")<Workspaces, {
  readonly create: (payload: CreatePayload) => Events
  readonly list: (labels: Readonly<Record<string, string>>) => Effect.Effect<ReadonlyArray<WorkspaceInfo>>
  readonly status: (payload: Named) => Effect.Effect<WorkspaceInfo, PyroError>
  readonly update: (payload: UpdatePayload) => Effect.Effect<WorkspaceInfo, PyroError>
  readonly stop: (payload: Named) => Events
  readonly start: (payload: Named) => Events
  readonly reset: (payload: ResetPayload) => Events
  readonly fork: (payload: ForkPayload) => Stream.Stream<ForkEvent, PyroError>
  readonly snapshot: {
    readonly create: (payload: SnapshotPayload) => Stream.Stream<SnapshotEvent, PyroError>
    readonly list: (payload: Named) => Effect.Effect<ReadonlyArray<SnapshotInfo>, PyroError>
    readonly delete: (payload: SnapshotPayload) => Effect.Effect<string, PyroError>
  }
  readonly compare: (payload: ComparePayload) => Effect.Effect<DiffResult, PyroError>
  readonly network: {
    readonly set: (payload: NetworkSetPayload) => Effect.Effect<NetworkSetResult, PyroError>
    readonly log: (payload: NetworkLogPayload) => Effect.Effect<NetworkLogResult, PyroError>
  }
  readonly port: HostOperations["port"]
  readonly events: HostOperations["events"]
  readonly watch: HostOperations["watch"]
  readonly remove: (payload: DeletePayload) => Effect.Effect<ReadonlyArray<Deleted>, PyroError>
  /** The Scope ends the command if this call started it. */
  readonly exec: (payload: ExecPayload, input?: RunInput) => Effect.Effect<ExecPull, PyroError, Scope.Scope>
  readonly logs: (payload: LogsPayload) => Effect.Effect<LogsResult, PyroError>
  readonly cancel: (payload: CancelPayload) => Effect.Effect<CancelResult, PyroError>
  readonly service: HostOperations["service"]
  readonly shell: ShellOperations
  readonly summary: (payload: Named) => Effect.Effect<SummaryResult, PyroError>
  readonly content: Content
  /** The disk of a workspace at rest. */
  readonly disk: {
    readonly list: (payload: DiskListPayload) => Effect.Effect<DiskList, PyroError>
    readonly read: (payload: DiskReadPayload) => Effect.Effect<DiskContent, PyroError>
    readonly export: (payload: DiskExportPayload) => Stream.Stream<DiskExportEvent, PyroError>
  }
  /** The root of a running workspace: `archive` writes it as a tar archive to a new file of the host. */
  readonly root: (payload: Named) => Effect.Effect<
    {
      readonly id: string
      readonly environment: string
      readonly archive: (file: string) => Effect.Effect<void, PyroError>
    },
    PyroError
  >
  /** The secrets of a workspace. Undefined if there is no workspace of this name. */
  readonly secretsOf: (payload: Named) => Effect.Effect<ReadonlyArray<SecretSet> | undefined>
  /** How many VMs run. */
  readonly running: Effect.Effect<number>
}>() {
  static readonly layer = Layer.scoped(Workspaces, Effect.suspend(() => make))
}

/** Interval of the checks whether the host has slept. */
const clocksEvery = "2 seconds"
/** Interval of the checks for expired workspaces. */
const expiryEvery = "1 seconds"
/** Interval of the checks for long chains of layers. */
const flattenEvery = "5 seconds"

const make = Effect.gen(function*() {
  const context = pickServices(yield* Effect.context<LifecycleServices>())
  // Not below the layer's own scope: its end would close this scope before the VMs are released.
  const scope = yield* Scope.make()
  const lifecycle: Lifecycle = { registry: makeRegistry(), scope }
  const { registry } = lifecycle
  yield* Effect.addFinalizer((exit) => Effect.zipRight(leaveAll(lifecycle), Scope.close(scope, exit)))
  yield* adoptAll(lifecycle)
  // Its end is awaited before any scope closes that a deletion is just closing.
  yield* inOwnFiber(Effect.suspend(() => expire(lifecycle))).pipe(
    Effect.repeat(Schedule.spaced(expiryEvery)),
    Effect.forkScoped
  )
  const keepClocks = yield* makeClockKeeper(registry.entries)
  yield* Effect.forkScoped(Effect.repeat(keepClocks, Schedule.spaced(clocksEvery)))
  yield* inOwnFiber(makeFlattener(lifecycle)).pipe(
    Effect.provide(context),
    Effect.catchAllCause((cause) => Effect.logWarning("layers of disks cannot be merged", cause)),
    Effect.repeat(Schedule.spaced(flattenEvery)),
    Effect.forkScoped
  )

  const step = (
    { workspace }: Named,
    work: (
      entry: Entry,
      notify: Notify
    ) => Effect.Effect<void, PyroError, LifecycleServices>
  ) => ready((notify) => Effect.flatMap(registry.find(workspace), (entry) => Effect.as(work(entry, notify), entry)))

  const ready = (work: (notify: Notify) => Effect.Effect<Entry, PyroError, LifecycleServices>): Events =>
    events((notify) =>
      Effect.map(
        Effect.flatMap(work(notify), infoOf),
        (workspace): WorkspaceEvent => ({ _tag: "Ready", workspace })
      )
    )

  /** Work that says whether it changed the state of the workspace. */
  const switched = (
    { workspace }: Named,
    work: (entry: Entry, notify: Notify) => Effect.Effect<boolean, PyroError, LifecycleServices>
  ): Events =>
    events((notify) =>
      Effect.gen(function*() {
        const entry = yield* registry.find(workspace)
        const changed = yield* work(entry, notify)
        return { _tag: "Ready" as const, workspace: yield* infoOf(entry), changed }
      })
    )

  /** Work with its notices and its result as a stream. The end of the stream interrupts the work. */
  const events = <Event>(
    work: (notify: Notify) => Effect.Effect<Event, PyroError, LifecycleServices>
  ): Stream.Stream<Notice | Event, PyroError> =>
    Stream.unwrapScoped(Effect.gen(function*() {
      const notices = yield* Mailbox.make<Notice>({ capacity: 64, strategy: "sliding" })
      const done = yield* work((notice) => void notices.unsafeOffer(notice)).pipe(
        Effect.provide(context),
        Effect.ensuring(notices.end),
        Effect.forkScoped
      )
      return Stream.concat(Mailbox.toStream(notices), Stream.fromEffect(done))
    }))

  const use = ({ workspace }: Named, operation: WorkspaceOperation, { writes }: UseOptions) =>
    Effect.gen(function*() {
      const entry = yield* registry.find(workspace)
      const generation = yield* runningGeneration(entry, operation)
      if (writes) yield* touch(entry.folder)
      return { entry, generation }
    })

  const borrow = ({ workspace }: Named, operation: WorkspaceOperation) =>
    Effect.provide(
      Effect.flatMap(registry.find(workspace), (entry) => borrowReader(lifecycle, entry, operation)),
      context
    )

  const disk = makeDisk(lifecycle)
  const content = makeContent(use, borrow, Effect.provide(context))
  return Workspaces.of({
    create: (payload) =>
      ready((notify) =>
        Effect.zipRight(demandOneSeed(payload), grantOfCaller(payload)).pipe(
          Effect.flatMap((network) => create(lifecycle, payload, network, notify))
        )
      ),
    list: (labels) =>
      Effect.map(
        Effect.zip(
          Effect.flatMap(registry.reachable.entries, Effect.forEach(infoOf)),
          registry.reachable.damaged
        ),
        ([all, damaged]) =>
          [...all, ...[...damaged.values()].map(damagedInfo)]
            .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
            .sort((a, b) => b.lastActivityAt.localeCompare(a.lastActivityAt))
      ),
    status: ({ workspace }) =>
      Effect.flatMap(
        registry.lookUp(workspace),
        (found) => isDamaged(found) ? Effect.succeed(damagedInfo(found)) : infoOf(found)
      ),
    update: (payload) =>
      Effect.flatMap(
        registry.find(payload.workspace),
        (entry) => Effect.zipRight(Effect.provide(update(lifecycle, entry, payload), context), infoOf(entry))
      ),
    stop: (payload) => switched(payload, (entry) => stop(lifecycle, entry)),
    start: (payload) => switched(payload, (entry, notify) => start(lifecycle, entry, notify)),
    reset: ({ diskOnly = false, snapshot, workspace }) =>
      step({ workspace }, (entry, notify) =>
        snapshot !== undefined
          ? Effect.flatMap(
            wholeSnapshotName(entry, snapshot),
            (whole) => resetTo(lifecycle, entry, { snapshot: whole, diskOnly }, notify)
          )
          : diskOnly
          ? new InvalidRequest({
            field: "disk_only",
            detail: "goes with a snapshot only: every other reset is of the disk"
          })
          : reset(lifecycle, entry, notify)),
    fork: (payload) =>
      events((notify) =>
        Effect.gen(function*() {
          const origin = yield* registry.find(payload.workspace)
          const { snapshot } = payload
          const from = snapshot === undefined ? {} : { snapshot: yield* wholeSnapshotName(origin, snapshot) }
          const entries = yield* fork(lifecycle, origin, { ...payload, ...from }, notify)
          return { _tag: "Forked" as const, workspaces: yield* Effect.forEach(entries, infoOf) }
        })
      ),
    snapshot: {
      create: ({ name, workspace }) =>
        events((notify) =>
          Effect.flatMap(registry.find(workspace), (entry) =>
            Effect.map(
              createSnapshot(lifecycle, entry, name, notify),
              (snapshot) => ({ _tag: "Taken" as const, snapshot })
            ))
        ),
      list: ({ workspace }) => Effect.flatMap(registry.find(workspace), listSnapshots),
      delete: ({ name, workspace }) =>
        Effect.flatMap(
          registry.find(workspace),
          (entry) => Effect.provide(deleteSnapshot(lifecycle, entry, name), context)
        )
    },
    compare: (payload) => Effect.provide(compare(lifecycle, payload), context),
    network: {
      set: (payload) =>
        Effect.flatMap(
          registry.find(payload.workspace),
          (entry) =>
            Effect.flatMap(Effect.provide(setNetwork(lifecycle, entry, payload), context), (changed) =>
              Effect.map(infoOf(entry), (workspace) => ({ workspace, ...changed })))
        ),
      log: (payload) => Effect.flatMap(registry.find(payload.workspace), (entry) => showNetworkLog(entry, payload))
    },
    ...makeHostOperations(lifecycle, Context.get(context, EventLog)),
    remove: (payload) => Effect.provide(removeAll(lifecycle, payload), context),
    exec: (payload, input = {}) =>
      Effect.gen(function*() {
        const entry = yield* registry.find(payload.workspace)
        const { memoryMib, workspaceUser } = yield* Ref.get(entry.record)
        const running = Effect.map(
          runningGeneration(entry, "workspace.exec"),
          (generation) => ({ ...generation, memoryMib })
        )
        const commands = yield* commandsOf(entry, "workspace.exec")
        const asked = { ...yield* withExecId(commands, payload), user: payload.user ?? workspaceUser }
        return yield* exec(commands, running, asked, input, standstillOf(entry))
      }),
    logs: (payload) =>
      Effect.flatMap(
        registry.find(payload.workspace),
        (entry) =>
          Effect.flatMap(commandsOf(entry, "workspace.logs"), (commands) =>
            Effect.flatMap(withExecId(commands, payload), (whole) => logs(commands, whole)))
      ),
    cancel: (payload) =>
      Effect.flatMap(
        registry.find(payload.workspace),
        (entry) =>
          Effect.flatMap(commandsOf(entry, "workspace.cancel"), (commands) =>
            Effect.flatMap(withExecId(commands, payload), (whole) => cancel(commands, whole)))
      ),
    shell: makeShellOperations(lifecycle),
    summary: (payload) =>
      Effect.flatMap(registry.find(payload.workspace), (entry) => {
        const asked = { paths: [], stat: true, nameOnly: false, includeIgnored: false, verified: false, maxBytes: 0 }
        return summarize(entry, content.diff({ ...payload, ...asked }, "workspace.summary"))
      }),
    content,
    disk: {
      list: (payload) => Effect.provide(disk.list(payload), context),
      read: (payload) => Effect.provide(disk.read(payload), context),
      export: (payload) => Stream.provideContext(disk.export(payload), context)
    },
    root: (payload) =>
      Effect.gen(function*() {
        const { entry, generation } = yield* use(payload, "env.build", { writes: true })
        const { environment } = yield* Ref.get(entry.record)
        return {
          id: entry.id,
          environment: environment.name,
          archive: (file: string) => explainChannelFailure(generation.guest)(archiveRoot(generation.channel, file))
        }
      }),
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
