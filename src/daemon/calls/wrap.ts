import type { Operation } from "../../contract/rows/operations.ts"

/**
 * One line of the list of what surrounds a call (`list.ts`). `around` runs once for each operation that the line concerns, when a process
 * makes its calls. Its result runs with every call, so lookups by row belong before the result.
 */
export interface Wrap<Call, Needs = unknown> {
  /** Its name in the list. */
  readonly name: string
  /** What it does to a call. One sentence for the reference. */
  readonly does: string
  /** Why it stands at its place. One sentence for the reference. */
  readonly because: string
  /** The operations that it surrounds. */
  readonly concerns: (row: Operation) => boolean
  readonly around: (row: Operation, call: Call, needs: Needs) => Call
}

/** `concerns` of a line around every operation. */
export const every = () => true

/** Surrounds a call of an operation by the lines that concern it, the first line outermost. */
export const surround = <Call, Needs>(
  wraps: ReadonlyArray<Wrap<Call, Needs>>,
  row: Operation,
  innermost: Call,
  needs: Needs
): Call => wraps.reduceRight((call, wrap) => wrap.concerns(row) ? wrap.around(row, call, needs) : call, innermost)
