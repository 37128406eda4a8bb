import { summarize, type Summary } from "./statistics.ts"

/**
 * Budget of a figure. `ratio` bounds ours / floor: `atMost` (time and memory, with an allowance `plus` in the unit and the median
 * of its measurement) or `atLeast` (throughput). `absolute` bounds ours itself.
 */
export type Budget =
  | { readonly kind: "ratio"; readonly atMost: number; readonly plus?: number }
  | { readonly kind: "ratio"; readonly atLeast: number }
  | { readonly kind: "absolute"; readonly atMost: number }

export interface Measured {
  readonly name: string
  readonly unit: "ms" | "MiB" | "MiB/s" | "runs"
  /** The comparison in one sentence. */
  readonly about: string
  readonly budget: Budget
  /** Empty if no bare program does the same. */
  readonly floor: ReadonlyArray<number>
  /** Allowance on top of a ratio; empty without a measurement of it. */
  readonly granted: ReadonlyArray<number>
  readonly ours: ReadonlyArray<number>
  /** Figure of the floor's prototype, if there was one. */
  readonly prototype?: number | undefined
}

/** One line of the report. `floor` and `ours` are medians; without a floor `floor` and `ratio` are null. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly floor: number | null
  readonly ours: number
  /** ours / floor */
  readonly ratio: number | null
  /** Bound on `ratio` for a floor with a relative budget, else on `ours`. */
  readonly budget: number
  readonly budget_text: string
  readonly ok: boolean
  /** Earlier results over the budget: `ratio`, or `ours` without a floor. */
  readonly earlier: ReadonlyArray<number>
  /** The floor's median divided by its prototype's figure; null without a prototype. */
  readonly floor_by_prototype: number | null
  readonly about: string
  readonly floor_summary: Summary | null
  readonly ours_summary: Summary
}

export const judge = (measured: Measured): Row => {
  const ours = summarize(measured.ours)
  const floor = measured.floor.length === 0 ? null : summarize(measured.floor)
  const { bound, ok, text } = verdict(measured, ours.median, floor?.median)
  return {
    name: measured.name,
    unit: measured.unit,
    floor: floor === null ? null : round(floor.median),
    ours: round(ours.median),
    ratio: floor === null ? null : round(ours.median / floor.median),
    budget: round(bound),
    budget_text: text,
    ok,
    earlier: [],
    floor_by_prototype: floor === null || measured.prototype === undefined
      ? null
      : round(floor.median / measured.prototype),
    about: measured.about,
    floor_summary: floor === null ? null : roundAll(floor),
    ours_summary: roundAll(ours)
  }
}

const verdict = ({ budget, granted, name, unit }: Measured, ours: number, floor: number | undefined) => {
  if (budget.kind === "absolute") {
    return { bound: budget.atMost, ok: ours <= budget.atMost, text: `<= ${budget.atMost} ${unit}` }
  }
  if (floor === undefined) throw new Error(`${name}: a budget that is relative to a floor needs one`)
  const ratio = ours / floor
  if ("atLeast" in budget) {
    return { bound: budget.atLeast, ok: ratio >= budget.atLeast, text: `>= ${budget.atLeast}x` }
  }
  const plus = granted.length === 0 ? budget.plus : (budget.plus ?? 0) + round(summarize(granted).median)
  const bound = budget.atMost + (plus ?? 0) / floor
  const more = plus === undefined ? "" : ` + ${plus} ${unit}`
  return { bound, ok: ratio <= bound, text: `<= ${budget.atMost}x${more}` }
}

/** Four significant digits in any unit. */
const round = (value: number) => Number(value.toPrecision(4))

const roundAll = ({ min, median, p95, runs }: Summary): Summary => ({
  min: round(min),
  median: round(median),
  p95: round(p95),
  runs
})
