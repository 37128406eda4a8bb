import { Effect, Option } from "effect"
import { memoryStore, type PyroError } from "../../contract/errors/errors.ts"
import { withFields } from "../../contract/rows/next-steps.ts"
import { nowMs } from "../../system/waits/time.ts"
import { lastActivity } from "../entry/activity.ts"
import type { Entry } from "../entry/entry.ts"
import type { Registry } from "../entry/registry.ts"
import { infoOf } from "./info.ts"

/** Time without a use until a workspace counts as left behind, in ms. Nothing is deleted, so a program that returns later still has its workspace. */
export const UNUSED_MS = 10 * 60_000

/** Most workspaces that an error names. */
const MOST_NAMED = 8

/** Whether a running workspace has no name, and nothing uses it or runs in it. */
const isUnused = (entry: Entry, now: number) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { builder, name, result, tryOf } = record
    if ([builder, name, result, tryOf].some((one) => one !== undefined) || entry.uses.count > 0) return false
    if (Option.isNone(yield* entry.generation.now)) return false
    if (now - Math.max(lastActivity(entry.folder, record).getTime(), entry.uses.lastMs) < UNUSED_MS) return false
    const { ports = [], runningCommands = 0, services = {}, shells = 0, pendingExports = [] } = yield* infoOf(entry)
    return [ports.length, runningCommands, shells, pendingExports.length, Object.keys(services).length]
      .every((one) => one === 0)
  })

/** The workspaces that a caller may delete for room, the longest unused first. */
const unusedOf = ({ reachable }: Registry) =>
  Effect.gen(function*() {
    const now = yield* nowMs
    const unused = yield* Effect.filter(yield* reachable.entries, (entry) => isUnused(entry, now))
    return unused.sort((one, other) => one.uses.lastMs - other.uses.lastMs).slice(0, MOST_NAMED).map(({ id }) => id)
  })

const isForMemory = (failure: PyroError): boolean =>
  failure._tag === "AdmissionRefused" || (failure._tag === "NoSpace" && failure.where === memoryStore)

/** Fails with the failure. A refusal for memory or processors names the workspaces that nothing uses. */
export const failNamingUnused = (registry: Registry) => <E extends PyroError>(failure: E): Effect.Effect<never, E> =>
  !isForMemory(failure) ? Effect.fail(failure) : Effect.flatMap(unusedOf(registry), (unused) =>
    unused.length === 0
      ? Effect.fail(failure)
      : Effect.fail(withFields<PyroError>(failure, { unused }) as E))

/** A refusal for memory or processors names the workspaces that nothing uses. */
export const namingUnused = (registry: Registry) => <A, E extends PyroError, R>(work: Effect.Effect<A, E, R>) =>
  Effect.catch(work, failNamingUnused(registry))
