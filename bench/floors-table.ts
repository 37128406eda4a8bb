import { type Bench } from "./bench.ts"
import { interleave, measureFloor, type Plan } from "./measure.ts"
import { bareChannel } from "./rows/stdout.ts"
import { summarize, type Summary } from "./statistics.ts"
import { columns, three } from "./table.ts"

/** A floor alone, beside its prototype's figure. */
export interface FloorRow extends Summary {
  readonly name: string
  readonly unit: string
  readonly prototype: number | null
}

export const measureFloors = async (
  plans: ReadonlyArray<Plan>,
  bench: Bench,
  runs: number,
  onRow: (name: string) => void
): Promise<ReadonlyArray<FloorRow>> => {
  const rows: Array<FloorRow> = []
  const add = (name: string, unit: string, prototype: number | undefined, values: ReadonlyArray<number>) =>
    void rows.push({ name, unit, prototype: prototype ?? null, ...summarize(values) })
  for (const plan of plans.filter(({ name }) => name !== "ten-at-once")) {
    if (plan.floor === undefined) continue
    onRow(plan.name)
    add(plan.name, plan.unit, plan.prototype, await measureFloor(plan, bench, runs))
  }
  onRow("bare channel")
  const [poured] = await interleave("bare channel", { warmups: 1, counted: runs }, [() => bareChannel(bench)])
  add("bare channel", "MiB/s", undefined, poured ?? [])
  return rows
}

/** A floor over 1.5 times its prototype is itself at fault, or the host is slower or busy. */
export const floorsTable = (rows: ReadonlyArray<FloorRow>): string =>
  columns([
    ["floor", "unit", "min/median/p95", "prototype", "median/prototype"],
    ...rows.map((row) => [
      row.name,
      row.unit,
      three(row),
      row.prototype === null ? "-" : String(row.prototype),
      row.prototype === null ? "-" : `${(row.median / row.prototype).toFixed(2)}x`
    ])
  ])
