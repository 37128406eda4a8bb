import type { SeedImage } from "../../disk/SeedImages.ts"
import { isEmptyDisk, isUnwrittenOver } from "../../disk/workspace-disk.ts"
import type { RestoreRequest } from "../model/guest.ts"
import { isEmptyRequest, kindOf } from "./members.ts"

/** Bounds of a pool. */
export interface PoolConfig {
  /** Members kept for requests of one kind. */
  readonly membersPerKind: number
  /** Guest memory of all members together, in MiB. */
  readonly memoryMib: number
  /** How long a kind without a request keeps its members, in ms. */
  readonly idleMs: number
  /** How long after a request no member is made, in ms: the request has priority. `WRITTEN` times as long if its disk was written. */
  readonly quietMs: number
  /** How long after an expectation its member is made, in ms: commands in a row change what is expected. */
  readonly aheadMs: number
  /** Delay before the next attempt after a member could not be made, in ms. A request ends the delay. */
  readonly retryMs: number
}

/** Demand for one kind of guest: number of members, memory of each, and time of the last request. */
export interface Demand {
  readonly members: number
  readonly memoryMib: number
  readonly askedAtMs: number
  /** No member is made before this. */
  readonly notBeforeMs: number
}

export interface PoolView {
  readonly demands: ReadonlyMap<string, Demand>
  /** Kind of each member, the oldest first. */
  readonly members: ReadonlyArray<string>
}

/** The next step of the pool. */
type PoolStep =
  | { readonly _tag: "fill"; readonly kind: string }
  /** Ends the oldest member of a kind. */
  | { readonly _tag: "end"; readonly kind: string }
  | { readonly _tag: "forget"; readonly kind: string }
  | { readonly _tag: "rest"; readonly untilMs: number }

/**
 * The kind of the latest request comes first, and members of older kinds make room for it. Never uses more memory than allowed, and keeps
 * nothing of a kind without requests.
 */
export const nextStep = ({ demands, members }: PoolView, config: PoolConfig, nowMs: number): PoolStep => {
  const newestFirst = [...demands].sort(([, a], [, b]) => b.askedAtMs - a.askedAtMs)
  const count = (kind: string) => members.filter((one) => one === kind).length
  for (const [kind, { askedAtMs }] of newestFirst) {
    if (askedAtMs + config.idleMs > nowMs) continue
    return count(kind) > 0 ? { _tag: "end", kind } : { _tag: "forget", kind }
  }
  const usedMib = members.reduce((sum, kind) => sum + (demands.get(kind)?.memoryMib ?? 0), 0)
  let untilMs = Math.min(...newestFirst.map(([, { askedAtMs }]) => askedAtMs + config.idleMs))
  for (const [index, [kind, { members: wanted, memoryMib, notBeforeMs }]] of newestFirst.entries()) {
    if (count(kind) >= wanted || memoryMib > config.memoryMib) continue
    if (notBeforeMs > nowMs) {
      untilMs = Math.min(untilMs, notBeforeMs)
      continue
    }
    if (usedMib + memoryMib <= config.memoryMib) return { _tag: "fill", kind }
    const [older] = newestFirst.slice(index + 1).reverse().find(([other]) => count(other) > 0) ?? []
    if (older !== undefined) return { _tag: "end", kind: older }
  }
  return { _tag: "rest", untilMs }
}

/** A kind of guest with its latest request. */
export interface Wanted extends Demand {
  readonly request: RestoreRequest
  /** Seed of the disk that a member has mounted. */
  readonly mounted: SeedImage | undefined
  /** Workspace that is likely to ask for exactly the written disk of the request: a member has the disk mounted. Default: none. */
  readonly expectedBy?: string | undefined
}

/** By kind. */
export type Demands = ReadonlyMap<string, Wanted>

/** Changes the entry of a kind, or removes it. */
export const changed = (demands: Demands, kind: string, change: (wanted: Wanted | undefined) => Wanted | undefined) => {
  const after = new Map(demands)
  const wanted = change(after.get(kind))
  if (wanted === undefined) after.delete(kind)
  else after.set(kind, wanted)
  return after
}

/** The guest of a written disk still mounts the disk, for as long as the claim of an empty one takes. */
const WRITTEN = 3

/** Adds one request: members for the next similar one. One of them has its seed mounted already. An expected disk is then no longer expected. */
export const remembered = (before: Demands, request: RestoreRequest, config: PoolConfig, nowMs: number): Demands => {
  const isWritten = !isEmptyDisk(request)
  const met = expectedFor(before, request)
  const demands = met === undefined ? before : changed(before, met, (one) => one && ended(one))
  const wanted = (before: Demands, mounted: SeedImage | undefined, members: number) =>
    changed(before, kindOf(request, mounted), () => ({
      request,
      mounted,
      members,
      memoryMib: request.memoryMib,
      askedAtMs: nowMs,
      notBeforeMs: nowMs + config.quietMs * (isWritten ? WRITTEN : 1)
    }))
  const all = config.membersPerKind - (isWritten && isAnyExpected(demands) ? 1 : 0)
  if (isEmptyRequest(request)) return wanted(demands, request.placeholder, all)
  const seed = all > 1 ? request.seedImage : undefined
  if (seed === undefined) return wanted(demands, undefined, all)
  return wanted(wanted(superseded(demands, kindOf(request, seed), request), seed, 1), undefined, all - 1)
}

/** A demand whose members end. */
const ended = (wanted: Wanted): Wanted => ({ ...wanted, askedAtMs: -Infinity })

const isExpected = ({ askedAtMs, expectedBy }: Wanted) => expectedBy !== undefined && askedAtMs > -Infinity

const isAnyExpected = (demands: Demands) => [...demands.values()].some(isExpected)

/** Kind of the members that have exactly the disk of this request mounted. */
export const expectedFor = (demands: Demands, request: RestoreRequest): string | undefined =>
  [...demands].find(([, wanted]) =>
    isExpected(wanted) && kindOf(wanted.request, undefined) === kindOf(request, undefined) &&
    isUnwrittenOver(request, wanted.request)
  )?.[0]

/**
 * A workspace is likely to ask for exactly the written disk of a request, or for none any more, in place of its last such disk. One member has that
 * disk mounted, in place of a member without a disk. A pool with one member per kind ignores this.
 */
export const expecting = (
  demands: Demands,
  by: string,
  request: RestoreRequest | undefined,
  config: PoolConfig,
  nowMs: number
): Demands => {
  const same = request === undefined ? undefined : expectedFor(demands, request)
  const after = new Map(
    [...demands].map(([kind, wanted]) => [kind, wanted.expectedBy === by && kind !== same ? ended(wanted) : wanted])
  )
  if (request === undefined || config.membersPerKind < 2) return after
  const notBeforeMs = nowMs + config.aheadMs
  if (same !== undefined) return changed(after, same, (wanted) => wanted && { ...wanted, askedAtMs: nowMs })
  const unmounted = kindOf(request, undefined)
  const { memoryMib } = request
  const wanted = { request, mounted: undefined, expectedBy: by, members: 1, memoryMib, askedAtMs: nowMs, notBeforeMs }
  // The files of a layer's name never change, so no member of this kind has another disk.
  after.set(JSON.stringify([unmounted, by, request.seed.path, request.layers]), wanted)
  const others = config.membersPerKind - 1
  return changed(after, unmounted, (all) => all && { ...all, members: Math.min(all.members, others) })
}

/** Only the seed of the last request is expected again. */
const superseded = (demands: Demands, kind: string, { placeholder }: RestoreRequest): Demands =>
  new Map(
    [...demands].map(([one, wanted]) =>
      one === kind || wanted.mounted === undefined || wanted.mounted.digest === placeholder.digest
        ? [one, wanted]
        : [one, ended(wanted)]
    )
  )
