import { Effect, Option } from "effect"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { Programs } from "../../../lib/guest-channel/model/calls.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"

/** The state of a workspace at a look. */
interface Seen {
  /** Time of the last use, in ms since 1970. */
  readonly usedMs: number
  /** Number of commands that had ended. */
  readonly ended: number
  /** The VM: the state of the next one is another. */
  readonly generation: Generation | undefined
}

/** What this process knows of a workspace's last look for a point, so that a look whether another is due costs next to nothing. */
interface Looks {
  /** Number of the disk: all of this is about one disk. */
  readonly disk: number
  seen: Seen | undefined
  /** Those of the guest that ran then, or may have: a number of `Programs`. */
  programs: number
  readonly allowance: Allowance
}

/** Looks that are allowed. */
export interface Allowance {
  /** Looks that are allowed now. */
  left: number
  /** Monotonic time of the last look that was added, in ms. */
  refilledMs: number
}

/** Looks in a row: the steps of a person or an agent get a point each, and a loop of commands pays for a few. */
const BURST = 5

export const fullAllowance = (): Allowance => ({ left: BURST, refilledMs: -Infinity })

/** Whether a look is allowed at this monotonic time. One more is each `everyMs`. Uses it up. */
export const takeLook = (allowance: Allowance, nowMs: number, everyMs: number): boolean => {
  if (everyMs === 0) return true
  const refills = Math.floor((nowMs - allowance.refilledMs) / everyMs)
  if (refills > 0) {
    allowance.left = Math.min(BURST, allowance.left + refills)
    allowance.refilledMs = nowMs
  }
  if (allowance.left === 0) return false
  allowance.left -= 1
  return true
}

/** The last looks, by workspace. Nothing else writes them. */
const all = new WeakMap<object, Looks>()

type Looked = Pick<Entry, "generation" | "record" | "uses">

/** A disk without an earlier look gets a look at once. */
const looksOf = (entry: Pick<Entry, "record">): Looks => {
  const { disk } = entry.record.get()
  const known = all.get(entry)
  if (known?.disk === disk) return known
  const { left, refilledMs } = known?.allowance ?? fullAllowance()
  const looks = {
    disk,
    seen: undefined,
    programs: Programs.unknown,
    allowance: { left: Math.max(1, left), refilledMs }
  }
  all.set(entry, looks)
  return looks
}

const stateNow = ({ generation, uses }: Looked, ended: number): Seen => ({
  usedMs: uses.lastMs,
  ended,
  generation: Option.getOrUndefined(generation.get())
})

const isOfNow = (entry: Looked, { generation, usedMs }: Seen) =>
  usedMs === entry.uses.lastMs && generation === Option.getOrUndefined(entry.generation.get())

/** Whether no use of the workspace has ended since the last look. `ended`: number of commands that have ended. */
export const isSeen = (entry: Looked, ended: number): boolean => {
  const { seen } = looksOf(entry)
  return seen !== undefined && seen.ended === ended && isOfNow(entry, seen)
}

/** Whether a workspace may be due for a look: it is not in use, and was used since the last one. Costs next to nothing: most workspaces are idle. */
export const mayBeDue = (entry: Looked): boolean => {
  const { seen } = looksOf(entry)
  return entry.uses.count === 0 && !(seen !== undefined && isOfNow(entry, seen))
}

/** Notes that a look sees the present state. */
export const noteSeen = (entry: Looked, ended: number): void => {
  looksOf(entry).seen = stateNow(entry, ended)
}

/** Notes a look, if another one is allowed at this monotonic time. */
export const noteLook = (entry: Looked, ended: number, nowMs: number, everyMs: number): boolean => {
  if (!takeLook(looksOf(entry).allowance, nowMs, everyMs)) return false
  noteSeen(entry, ended)
  return true
}

/** Makes another look due without another use: this one came to nothing. */
export const lookAgain = (entry: Pick<Entry, "record">): void => {
  looksOf(entry).seen = undefined
}

/**
 * Whether a program of the guest ran at the last look, or may have: a service, a shell, a connection, or a remaining child of a command. It may have written
 * since, without a use.
 */
export const mayHavePrograms = (entry: Pick<Entry, "record">): boolean => programsOf(entry) !== Programs.none

/** Which programs ran at the last look: a number of `Programs`. */
export const programsOf = (entry: Pick<Entry, "record">): number => looksOf(entry).programs

/** Notes which programs run. A guest that does not say so may have some. */
export const notePrograms = (entry: Pick<Entry, "record">, { call }: Pick<GuestChannel, "call">) =>
  call.programs({}).pipe(
    Effect.orElseSucceed(() => Programs.unknown),
    Effect.map((programs) => {
      looksOf(entry).programs = programs
    }),
    Effect.interruptible
  )

/** After a return to a point: notes what it has, if it is the state before the next command. Else a look is due at once. */
export const lookAfterReturn = (
  entry: Looked,
  had: { readonly ended: number; readonly hasPrograms: boolean } | undefined
): void => {
  const { allowance, disk } = looksOf(entry)
  all.set(entry, {
    disk,
    seen: had === undefined ? undefined : stateNow(entry, had.ended),
    programs: had?.hasPrograms === false ? Programs.none : Programs.unknown,
    allowance: { ...allowance, left: Math.max(1, allowance.left) }
  })
}
