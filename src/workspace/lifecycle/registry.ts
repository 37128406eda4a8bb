import { Effect, ExecutionStrategy, FiberRef, Option, Ref, Schedule, Scope, SubscriptionRef } from "effect"
import { callerProject, isReachable } from "../../contract/caller-project.ts"
import {
  type IdAmbiguous,
  type PyroError,
  type StateTooNew,
  WorkspaceNameTaken,
  WorkspaceNotFound,
  WorkspaceNotReady
} from "../../contract/errors.ts"
import type { WorkspaceInfo, WorkspaceState } from "../../contract/operations/workspace-info.ts"
import { similarTo } from "../../contract/similar.ts"
import type { Commands } from "../exec/commands.ts"
import { silenceOf, type Standstill } from "../exec/standstill.ts"
import type { OpenResidents } from "../residents/open.ts"
import { silentText, troubleText } from "../trouble.ts"
import { calledOf } from "./called.ts"
import { type Damaged, isDamaged, refuseDamaged } from "./damaged.ts"
import type { Generation } from "./generation.ts"
import { onlyOne, wholeOf } from "./prefix.ts"
import { lastActivity, type WorkspaceFolder, type WorkspaceId, type WorkspaceRecord } from "./record.ts"

/** One workspace in this process. What it is stands in its record; how it is, here. */
export interface Entry {
  readonly id: WorkspaceId
  readonly folder: WorkspaceFolder
  readonly record: Ref.Ref<WorkspaceRecord>
  readonly state: Ref.Ref<{ readonly state: WorkspaceState; readonly detail?: string | undefined }>
  readonly generation: Ref.Ref<Option.Option<Generation>>
  /** None only while the workspace is being made. */
  readonly residents: Ref.Ref<Option.Option<OpenResidents>>
  /** What this process holds of the workspace beside its VM, until it is deleted. */
  readonly scope: Scope.CloseableScope
  /** True while a deletion waits or works: who only reads the workspace's disk gives way. */
  readonly doomed: SubscriptionRef.SubscriptionRef<boolean>
  /** Create, stop, start, reset, snapshot, fork, delete and update: one at a time. Commands and files do not take it. */
  readonly one: Effect.Semaphore
  /** Pushes: one at a time. */
  readonly pushing: Effect.Semaphore
  /** The record of what was pushed: read for a new generation, or written for the current one. Held for host files alone. */
  readonly pushed: Effect.Semaphore
}

export const makeEntry = (parent: { readonly scope: Scope.Scope }, folder: WorkspaceFolder, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    const entry: Entry = {
      id: record.id,
      folder,
      record: yield* Ref.make(record),
      state: yield* Ref.make<Effect.Effect.Success<Entry["state"]>>({ state: "creating" }),
      generation: yield* Ref.make(Option.none<Generation>()),
      residents: yield* Ref.make(Option.none<OpenResidents>()),
      scope: yield* Scope.fork(parent.scope, ExecutionStrategy.sequential),
      doomed: yield* SubscriptionRef.make(false),
      one: yield* Effect.makeSemaphore(1),
      pushing: yield* Effect.makeSemaphore(1),
      pushed: yield* Effect.makeSemaphore(1)
    }
    return entry
  })

/** The workspaces of an installation, by id and by name. */
export const makeRegistry = () => {
  const entries = new Map<WorkspaceId, Entry>()
  /** Nothing can be done with these but to look at them and to delete them. */
  const damaged = new Map<WorkspaceId, Damaged>()

  /** Whether this request may reach the workspace. Nobody knows whose project a damaged record is of. */
  const reaches = (entry: Entry) => Effect.zipWith(FiberRef.get(callerProject), Ref.get(entry.record), isReachable)
  const damagedHere = Effect.map(FiberRef.get(callerProject), (caller) => isReachable(caller, {}) ? damaged : none)

  /** The workspaces that this request may reach; every request names or lists workspaces by these alone. */
  const reachable = {
    entries: Effect.suspend(() => Effect.filter([...entries.values()], reaches)),
    damaged: damagedHere
  }

  const nameOf = (entry: Entry) => Effect.map(Ref.get(entry.record), ({ name }) => name)

  /** A workspace by its id, by its name, or by the beginning of its id where only one begins so. */
  const lookUp = (called: string): Effect.Effect<Entry | Damaged, WorkspaceNotFound | IdAmbiguous> =>
    Effect.gen(function*() {
      const byId = entries.get(called as WorkspaceId)
      if (byId !== undefined && (yield* reaches(byId))) return byId
      const broken = yield* reachable.damaged
      return broken.get(called as WorkspaceId) ?? (yield* lookUpName(called, broken))
    })

  const lookUpName = (called: string, broken: ReadonlyMap<WorkspaceId, Damaged>) =>
    Effect.gen(function*() {
      const names: Array<string> = []
      const byId = new Map<WorkspaceId, Entry | Damaged>(broken)
      for (const entry of yield* reachable.entries) {
        const name = yield* nameOf(entry)
        if (name === called) return entry
        names.push(name ?? entry.id)
        byId.set(entry.id, entry)
      }
      const id = yield* onlyOne("workspace", called, wholeOf(called, byId.keys()))
      const found = id === undefined ? undefined : byId.get(id)
      return found ?? (yield* new WorkspaceNotFound({ workspace: called, similar: similarTo(called, names) }))
    })

  const find = (
    called: string
  ): Effect.Effect<Entry, WorkspaceNotFound | IdAmbiguous | WorkspaceNotReady | StateTooNew> =>
    Effect.flatMap(
      lookUp(called),
      (found): Effect.Effect<Entry, WorkspaceNotReady | StateTooNew> =>
        isDamaged(found) ? refuseDamaged(found) : Effect.succeed(found)
    )

  /** Fails when somebody else has the name. Two requests cannot both pass: no other fiber runs between this and `entries.set`. */
  const checkName = (name: string | undefined, id: WorkspaceId) =>
    Effect.gen(function*() {
      if (name === undefined) return
      for (const entry of entries.values()) {
        if (entry.id !== id && (yield* nameOf(entry)) === name) {
          return yield* new WorkspaceNameTaken((yield* reaches(entry)) ? { name, workspace: entry.id } : { name })
        }
      }
    })

  return { entries, damaged, reachable, lookUp, find, checkName } as const
}

const none: ReadonlyMap<WorkspaceId, Damaged> = new Map()

export type Registry = ReturnType<typeof makeRegistry>

const hints: Partial<Record<WorkspaceState, string>> = {
  stopped: "start it first",
  failed: "bring it back with start (keeps the disk) or reset (from the seed)",
  deleting: "it is being deleted",
  creating: "wait until it is created",
  starting: "wait until it runs",
  stopping: "wait until it is stopped, then start it",
  resetting: "wait until it is reset"
}

/** How long what is asked of a guest that stands still waits for it to go on. */
const GOES_ON = "2 seconds"

/** The running VM of a workspace; none while the host's disk is full and its guest stands still. */
export const runningGeneration = (entry: Entry): Effect.Effect<Generation, WorkspaceNotReady> =>
  Effect.flatMap(Ref.get(entry.generation), (generation) => {
    if (Option.isNone(generation)) return notReady(entry)
    const { health } = generation.value.guest.vm
    const isStill = Effect.map(health.trouble, (trouble) => trouble === "no-space")
    return Effect.if(isStill, {
      onFalse: () => Effect.succeed(generation.value),
      onTrue: () =>
        isStill.pipe(
          Effect.repeat({ while: (still) => still, schedule: Schedule.spaced("100 millis") }),
          Effect.as(generation.value),
          Effect.timeoutTo({
            duration: GOES_ON,
            onSuccess: Effect.succeed,
            onTimeout: () => standsStill(entry)
          }),
          Effect.flatten
        )
    })
  })

const standsStill = (entry: Entry) =>
  Effect.flatMap(calledOf(entry), (workspace) =>
    new WorkspaceNotReady({
      workspace,
      state: "standing still",
      detail: "the host's disk is full, and it goes on when there is room; delete what is not needed, or see: pyro gc"
    }))

/** Refuses what wants a running VM, with the reason. */
export const notReady = (entry: Entry) =>
  Effect.gen(function*() {
    const { detail, state } = yield* Ref.get(entry.state)
    const hint = hints[state] ?? "it has no microVM"
    return yield* new WorkspaceNotReady({
      workspace: yield* calledOf(entry),
      state,
      detail: detail === undefined ? hint : `${detail}; ${hint}`
    })
  })

/** The error of who gave way to a deletion. */
export const beingDeleted = (entry: Entry) =>
  Effect.flatMap(
    calledOf(entry),
    (workspace) => new WorkspaceNotReady({ workspace, state: "deleting", detail: hints.deleting ?? "" })
  )

/** Why what was done in a VM of the workspace failed: it was taken out of the workspace, or the failure itself. */
export const takenOutOr = <E>(
  entry: Entry,
  generation: Generation,
  failure: E
): Effect.Effect<never, E | WorkspaceNotReady> =>
  Effect.gen(function*() {
    const now = yield* Ref.get(entry.generation)
    const { state } = yield* Ref.get(entry.state)
    if (state === "failed" || (Option.isSome(now) && now.value === generation)) return yield* Effect.fail(failure)
    const detail = "the microVM that this was done in was ended meanwhile; ask again when it runs"
    return yield* new WorkspaceNotReady({ workspace: yield* calledOf(entry), state, detail })
  })

/** The residents of a workspace. */
export const residentsOf = (entry: Entry): Effect.Effect<OpenResidents, WorkspaceNotReady> =>
  Effect.flatMap(
    Ref.get(entry.residents),
    Option.match({
      onNone: () => new WorkspaceNotReady({ workspace: entry.id, state: "creating", detail: hints.creating ?? "" }),
      onSome: Effect.succeed
    })
  )

/** The commands of a workspace, for the operations on commands. */
export const commandsOf = (entry: Entry): Effect.Effect<Commands, WorkspaceNotReady> =>
  Effect.map(residentsOf(entry), ({ commands }) => commands)

/** Ends everything that lives in a workspace's VM, for a workspace that is complete or still being created. */
export const loseResidents = (entry: Entry, reason: PyroError): Effect.Effect<void> =>
  Effect.flatMap(
    Ref.get(entry.residents),
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ lose }) => lose(reason)
    })
  )

/** Whether something uses the workspace now. */
export const isBusy = (entry: Entry): Effect.Effect<boolean> =>
  Effect.flatMap(
    Ref.get(entry.residents),
    Option.match({
      onNone: () => Effect.succeed(false),
      onSome: (residents) => residents.isBusy
    })
  )

/** What keeps its guest from running for now. */
const troubleOf = (entry: Entry) =>
  Effect.gen(function*() {
    const generation = yield* Ref.get(entry.generation)
    if (Option.isNone(generation)) return undefined
    const { channel, guest } = generation.value
    const trouble = yield* guest.vm.health.trouble
    if (trouble !== "none") return troubleText(trouble)
    return channel.isSilent() ? silentText : undefined
  })

/** Why the commands of a workspace make no progress now. */
export const standstillOf = (entry: Entry): Standstill =>
  Effect.flatMap(
    Ref.get(entry.generation),
    Option.match({
      onNone: () => Effect.succeed(undefined),
      onSome: ({ channel, guest }) =>
        Effect.flatMap(
          guest.vm.health.trouble,
          (trouble) => trouble === "none" ? silenceOf(channel) : Effect.succeed(troubleText(trouble))
        )
    })
  )

/** What a workspace is and how it is, for people and programs. */
export const infoOf = (entry: Entry): Effect.Effect<WorkspaceInfo> =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    const { detail = yield* troubleOf(entry), state } = yield* Ref.get(entry.state)
    const residents = yield* Ref.get(entry.residents)
    const active = lastActivity(entry.folder, record)
    return {
      id: record.id,
      ...(record.name === undefined ? {} : { name: record.name }),
      labels: record.labels,
      environment: record.environment.name,
      environmentDigest: record.environment.digest,
      state,
      ...(detail === undefined ? {} : { detail }),
      createdAt: record.createdAt,
      lastActivityAt: active.toISOString(),
      ...(record.ttlSeconds === undefined
        ? {}
        : { expiresAt: new Date(active.getTime() + record.ttlSeconds * 1000).toISOString() }),
      generation: record.generation,
      vcpuCount: record.vcpuCount,
      memoryMib: record.memoryMib,
      diskMib: record.diskMib,
      ...(record.seedPath === undefined ? {} : { seedPath: record.seedPath }),
      ...(record.repoUrl === undefined ? {} : { repoUrl: record.repoUrl }),
      ...(record.repoRef === undefined ? {} : { repoRef: record.repoRef }),
      workspaceUser: record.workspaceUser,
      ...(record.project === undefined || record.project === "" ? {} : { project: record.project }),
      ...(record.forkedFrom === undefined ? {} : { forkedFrom: record.forkedFrom.workspace }),
      runningCommands: 0,
      ...(Option.isNone(residents) ? {} : yield* residents.value.describe)
    }
  })
