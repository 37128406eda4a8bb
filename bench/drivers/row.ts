import { interleave, type Side } from "../measure.ts"

/** The side of one driver: QEMU's is the floor. */
export type OnDriver = (driver: string) => Promise<Side>

/** A figure of both drivers on one host, or of Firecracker beside a floor of its own. */
export interface DriverRow {
  readonly name: string
  readonly unit: "ms" | "MiB" | "times"
  readonly about: string
  /** Largest ratio, or largest value of Firecracker's. */
  readonly atMost?: { readonly ratio: number } | { readonly value: number }
  /** Samples of each side, Firecracker's last. */
  readonly measure: (runs: number) => Promise<ReadonlyArray<ReadonlyArray<number>>>
}

export const noWorse = { ratio: 1 }

interface RowOptions {
  readonly on?: ReadonlyArray<string>
  readonly atMost?: DriverRow["atMost"]
  readonly rounds?: (runs: number) => number
  readonly unit?: DriverRow["unit"]
  readonly warmups?: number
}

/** A row whose sides are measured in turn. */
export const makeRow = (
  name: string,
  about: string,
  open: OnDriver,
  { atMost, on = ["qemu", "firecracker"], rounds = (runs) => runs, unit = "ms", warmups = 1 }: RowOptions = {}
): DriverRow => ({
  name,
  unit,
  about,
  ...(atMost && { atMost }),
  measure: (runs) => interleave(name, { warmups, counted: rounds(runs) }, on.map((driver) => () => open(driver)))
})
