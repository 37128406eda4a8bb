/** Bounds of a pool. */
export interface PoolConfig {
  /** Members kept for requests of one kind. */
  readonly membersPerKind: number
  /** Guest memory of all members together, in MiB. */
  readonly memoryMib: number
  /** How long a kind that nobody asks for keeps its members, in ms. */
  readonly idleMs: number
  /** How long after a request no member is made, in ms: what was asked for comes first. */
  readonly quietMs: number
  /** How long a kind of which no member could be made is left alone, in ms, unless it is asked for. */
  readonly retryMs: number
}

/** Of one kind of guest: how many are to wait, how much memory each takes, and when it was last asked for. */
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

/** What the pool does next. */
export type PoolStep =
  | { readonly _tag: "fill"; readonly kind: string }
  /** Ends the oldest member of a kind. */
  | { readonly _tag: "end"; readonly kind: string }
  | { readonly _tag: "forget"; readonly kind: string }
  | { readonly _tag: "rest"; readonly untilMs: number }

/**
 * The kind that was asked for last comes first; members of kinds that were asked for earlier make room for it. Never more memory
 * than allowed, and nothing of a kind that nobody asks for.
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
