import type { Bench } from "./bench.ts"
import type { Budget, Measured } from "./report.ts"

/** One side of a row: a measurement that can be taken again and again. */
export interface Side {
  /** One value in the row's unit. */
  readonly sample: () => Promise<number>
  readonly close: () => Promise<void>
}

/** A row before it is measured. */
export interface Plan {
  readonly name: string
  readonly unit: Measured["unit"]
  readonly about: string
  readonly budget: Budget
  /** What a prototype of the floor reached on a 2-core host without KVM (min, or the one figure known). */
  readonly prototype?: number
  /** How often both sides are measured when the caller asks for `runs`. */
  readonly rounds: (runs: number) => number
  /** Rounds before those that count: caches fill, code is compiled. */
  readonly warmups: number
  readonly floor?: (bench: Bench) => Promise<Side>
  /** What is granted on top of a ratio, where that is measured too. */
  readonly granted?: (bench: Bench) => Promise<Side>
  readonly ours: (bench: Bench) => Promise<Side>
}

/** A side that holds nothing between two samples. */
export const side = (sample: Side["sample"], close: Side["close"] = async () => {}): Side => ({ sample, close })

/** Longest that opening a side or one sample of it may take: a guest that hangs must not hang the whole. */
const timeoutMs = 120_000

const limited = <A>(what: string, work: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${timeoutMs / 1000} s`)), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Measures floor and ours in turn, so that whatever else the host does hits both alike. Sides are opened one after the other and
 * closed in any case.
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

/** Milliseconds that `work` takes. */
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
