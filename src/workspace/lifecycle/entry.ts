import { Effect, ExecutionStrategy, Option, Ref, Scope, SubscriptionRef } from "effect"
import type { WorkspaceState } from "../../contract/operations/workspace-info.ts"
import type { OpenResidents } from "../residents/open.ts"
import type { Generation } from "./generation.ts"
import type { WorkspaceFolder, WorkspaceId, WorkspaceRecord } from "./record.ts"

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
