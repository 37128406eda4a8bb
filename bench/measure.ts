import { deadlineScale } from "../src/system/settings/deadline-scale.ts"
import type { Bench } from "./bench.ts"
import type { Budget, Measured } from "./report.ts"

/** One side of a row: a repeatable measurement. */
export interface Side {
  /** One value in the row's unit. */
  readonly sample: () => Promise<number>
  readonly close: () => Promise<void>
}

/** A row before its measurement. */
export interface Plan {
  readonly name: string
  readonly unit: Measured["unit"]
  readonly about: string
  readonly budget: Budget
  /** Figure of the floor's prototype on a 2-core host without KVM (minimum, or the one known figure). */
  readonly prototype?: number
  /** Number of samples of both sides, for the caller's `runs`. */
  readonly rounds: (runs: number) => number
  /** Rounds before those that count: they fill caches and compile code. */
  readonly warmups: number
  readonly floor?: (bench: Bench) => Promise<Side>
  /** Allowance on top of a ratio, if it is measured, too. */
  readonly granted?: (bench: Bench) => Promise<Side>
  readonly ours: (bench: Bench) => Promise<Side>
}

/** A side that holds nothing between two samples. */
export const side = (sample: Side["sample"], close: Side["close"] = async () => {}): Side => ({ sample, close })

/** Maximum time for opening a side or for one sample: a hung guest must not hang the run. */
const timeoutMs = 120_000 * deadlineScale

const limited = <A>(what: string, work: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${timeoutMs / 1000} s`)), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Measures floor and ours in turn, so that other work of the host affects both alike. Opens the sides one after the other and
 * always closes them.
 */
export const interleave = async (
  name: string,
  rounds: { readonly warmups: number; readonly counted: number },
  open: ReadonlyArray<() => Promise<Side>>
): Promise<ReadonlyArray<ReadonlyArray<number>>> => {
  const sides: Array<Side> = []
  const samples = open.map(() => [] as Array<number>)
  try {
    for (const make of open) {
      sides.push(await limited(`${name}: opening side ${sides.length + 1} of ${open.length}`, make()))
    }
    for (let round = 0; round < rounds.warmups + rounds.counted; round++) {
      for (const [index, one] of sides.entries()) {
        const value = await limited(`${name}: side ${index + 1} of ${sides.length}`, one.sample())
        if (round >= rounds.warmups) samples[index]?.push(value)
      }
    }
  } finally {
    for (const one of sides.reverse()) await one.close()
  }
  return samples
}

/** Duration of `work` in milliseconds. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const since = performance.now()
  await work()
  return performance.now() - since
}

export const measure = async (plan: Plan, bench: Bench, runs: number): Promise<Measured> => {
  const { floor, granted, ours } = plan
  const open = [floor, granted, ours].flatMap((side) => side === undefined ? [] : [() => side(bench)])
  const samples = await interleave(plan.name, { warmups: plan.warmups, counted: plan.rounds(runs) }, open)
  const { about, budget, name, prototype, unit } = plan
  return {
    name,
    unit,
    about,
    budget,
    floor: floor === undefined ? [] : samples[0] ?? [],
    granted: granted === undefined ? [] : samples.at(-2) ?? [],
    ours: samples.at(-1) ?? [],
    prototype
  }
}

/** The floor of a row alone. */
export const measureFloor = async (plan: Plan, bench: Bench, runs: number): Promise<ReadonlyArray<number>> => {
  const { floor } = plan
  if (floor === undefined) return []
  const [samples] = await interleave(plan.name, { warmups: plan.warmups, counted: plan.rounds(runs) }, [
    () => floor(bench)
  ])
  return samples ?? []
}
