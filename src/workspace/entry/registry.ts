import { Effect, Latch, Semaphore } from "effect"
import {
  type IdAmbiguous,
  InvalidRequest,
  type StateTooNew,
  WorkspaceNameTaken,
  WorkspaceNotFound,
  WorkspaceNotReady
} from "../../contract/errors/errors.ts"
import { similarTo } from "../../contract/text/similar.ts"
import { callerProject, isReachable } from "../../contract/wire/caller-project.ts"
import { callerTenant, isOfTenant } from "../../contract/wire/identity.ts"
import { idsOfClient } from "../../contract/wire/minted-ids.ts"
import { annotateStep } from "../../system/telemetry/spans.ts"
import type { Entry } from "./entry.ts"
import { onlyOne, wholeOf } from "./prefix.ts"
import {
  isWorkspaceId,
  newWorkspaceId,
  type WorkspaceFolder,
  type WorkspaceId,
  type WorkspaceRecord
} from "./record.ts"

/** A workspace with an unreadable record: a newer pyro wrote the record, or it is damaged. Its VM and disk stay unchanged. */
export interface Damaged {
  readonly id: WorkspaceId
  readonly folder: WorkspaceFolder
  /** The problem and its remedy. */
  readonly detail: string
  /** Set if a newer pyro wrote the record. */
  readonly tooNew?: StateTooNew
}

export const isDamaged = (one: Damaged | { readonly record: unknown }): one is Damaged => !("record" in one)

const refuseDamaged = ({ detail, id: workspace, tooNew }: Damaged) =>
  tooNew ?? new WorkspaceNotReady({ workspace, state: "failed", detail })

/** The workspaces of an installation, by id and by name. */
export const makeRegistry = () => {
  const entries = new Map<WorkspaceId, Entry>()
  /** These can only be shown and deleted. */
  const damaged = new Map<WorkspaceId, Damaged>()

  /** Whether this request may reach the workspace. No request reaches a candidate of a try. The project of a damaged record is unknown. */
  const reaches = (entry: Entry) =>
    Effect.gen(function*() {
      const record = yield* entry.record.now
      return record.tryOf === undefined && isOfTenant(yield* callerTenant, record.tenant) &&
        isReachable(yield* callerProject, record)
    })
  /** Whose they are is unknown, so they are the owner's. */
  const damagedHere = Effect.zipWith(
    callerProject,
    callerTenant,
    (caller, tenant) => tenant === undefined && isReachable(caller, {}) ? damaged : none
  )

  /** A builder of pyro's own is no workspace of a person: only the call that made it knows its id. */
  const isListed = (entry: Entry) =>
    Effect.flatMap(
      entry.record.now,
      ({ builder }) => builder === undefined ? reaches(entry) : Effect.succeed(false)
    )

  /** The workspaces that this request may reach. Every request names or lists only these, and builders by their whole id. */
  const reachable = {
    entries: Effect.suspend(() => Effect.filter([...entries.values()], isListed)),
    damaged: damagedHere
  }

  const nameOf = (entry: Entry) => Effect.map(entry.record.now, ({ name }) => name)

  /** A workspace by its id, its name, or a unique prefix of its id. */
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
      const ofName: Array<Entry> = []
      const byId = new Map<WorkspaceId, Entry | Damaged>(broken)
      for (const entry of yield* reachable.entries) {
        const name = yield* nameOf(entry)
        if (name === called) ofName.push(entry)
        names.push(name ?? entry.id)
        byId.set(entry.id, entry)
      }
      if (ofName.length > 0) return yield* ownerChoice(called, ofName)
      const id = yield* onlyOne("workspace", called, wholeOf(called, byId.keys()))
      const found = id === undefined ? undefined : byId.get(id)
      return found ?? (yield* new WorkspaceNotFound({ workspace: called, similar: similarTo(called, names) }))
    })

  /** Names may repeat across tenants, and the owner of this machine reaches all: a name means the owner's own workspace first. */
  const ownerChoice = (called: string, entries: ReadonlyArray<Entry>) =>
    Effect.gen(function*() {
      for (const entry of entries) if ((yield* entry.record.now).tenant === undefined) return entry
      yield* onlyOne("workspace", called, entries.map(({ id }) => id))
      return entries[0]!
    })

  const find = (
    called: string
  ): Effect.Effect<Entry, WorkspaceNotFound | IdAmbiguous | WorkspaceNotReady | StateTooNew> =>
    Effect.flatMap(
      lookUp(called),
      (found): Effect.Effect<Entry, WorkspaceNotReady | StateTooNew> =>
        isDamaged(found) ? refuseDamaged(found) : Effect.as(annotateStep("workspace", found.id), found)
    )

  /**
   * Fails if another workspace of the tenant has the name. Two requests cannot both pass: no other fiber runs between this check and
   * `entries.set`.
   */
  const checkName = (name: string | undefined, { id, tenant }: Pick<WorkspaceRecord, "id" | "tenant">) =>
    Effect.gen(function*() {
      if (name === undefined) return
      for (const entry of entries.values()) {
        const other = yield* entry.record.now
        if (entry.id !== id && other.name === name && other.tenant === tenant) {
          return yield* new WorkspaceNameTaken({
            workspaceName: name,
            ...((yield* reaches(entry)) ? { workspace: entry.id } : {})
          })
        }
      }
    })

  /** One change of the names of saved snapshots at a time, and no change while one is linked. */
  const savedLock = Semaphore.makeUnsafe(1)

  /** Open after a use of any workspace, until the work that the use caused is done. */
  const wasUsed = Latch.makeUnsafe(true)

  return { entries, damaged, reachable, lookUp, find, checkName, savedLock, wasUsed } as const
}

const none: ReadonlyMap<WorkspaceId, Damaged> = new Map()

export type Registry = ReturnType<typeof makeRegistry>

const wrong = (detail: string) => new InvalidRequest({ field: "workspace_ids", detail })

/** Ids for new workspaces: those that the client minted, or others. Fails if a workspace has one already. */
export const newIds = (
  { damaged, entries }: Pick<Registry, "damaged" | "entries">,
  count: number
): Effect.Effect<ReadonlyArray<WorkspaceId>, InvalidRequest> =>
  Effect.flatMap(idsOfClient, (minted) => {
    if (minted.length === 0) return Effect.succeed(Array.from({ length: count }, newWorkspaceId))
    const ids = minted.filter(isWorkspaceId)
    if (ids.length !== minted.length || new Set(ids).size !== count) return wrong(`must be ${count} ids of workspaces`)
    const taken = ids.find((id) => entries.has(id) || damaged.has(id))
    return taken === undefined ? Effect.succeed(ids) : wrong(`${taken} exists already`)
  })
