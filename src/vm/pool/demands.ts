import type { SeedImage } from "../../disk/SeedImages.ts"
import type { RestoreRequest } from "../guest.ts"
import { isEmptyRequest, kindOf } from "./members.ts"
import type { Demand, PoolConfig } from "./policy.ts"

/** A kind of guest that was asked for, and how the last one was. */
export interface Wanted extends Demand {
  readonly request: RestoreRequest
  /** Of what a member has the disk mounted. */
  readonly mounted: SeedImage | undefined
}

/** By kind. */
export type Demands = ReadonlyMap<string, Wanted>

/** Changes what is known of a kind, or forgets it. */
export const changed = (demands: Demands, kind: string, change: (wanted: Wanted | undefined) => Wanted | undefined) => {
  const after = new Map(demands)
  const wanted = change(after.get(kind))
  if (wanted === undefined) after.delete(kind)
  else after.set(kind, wanted)
  return after
}

/** With one request more: members for the next one like it, of which one has its seed mounted already. */
export const remembered = (demands: Demands, request: RestoreRequest, config: PoolConfig, nowMs: number): Demands => {
  const wanted = (before: Demands, mounted: SeedImage | undefined, members: number) =>
    changed(before, kindOf(request, mounted), () => ({
      request,
      mounted,
      members,
      memoryMib: request.memoryMib,
      askedAtMs: nowMs,
      notBeforeMs: nowMs + config.quietMs
    }))
  const all = config.membersPerKind
  if (isEmptyRequest(request)) return wanted(demands, request.placeholder, all)
  const seed = all > 1 ? request.seedImage : undefined
  if (seed === undefined) return wanted(demands, undefined, all)
  return wanted(wanted(superseded(demands, kindOf(request, seed), request), seed, 1), undefined, all - 1)
}

/** Of the seeds that were asked for, the last one is asked for again, if any. */
const superseded = (demands: Demands, kind: string, { placeholder }: RestoreRequest): Demands =>
  new Map(
    [...demands].map(([one, wanted]) =>
      one === kind || wanted.mounted === undefined || wanted.mounted.digest === placeholder.digest
        ? [one, wanted]
        : [one, { ...wanted, askedAtMs: -Infinity }]
    )
  )
