import type { Row } from "./report.ts"
import type { Summary } from "./statistics.ts"

const number = (value: number) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

export const three = (summary: Summary | null) =>
  summary === null ? "-" : [summary.min, summary.median, summary.p95].map(number).join(" / ")

/** Columns as wide as their widest cell. The first is text, the others are right-aligned. */
export const columns = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (lines[0] ?? []).map((_, index) => Math.max(...lines.map((line) => (line[index] ?? "").length)))
  return lines
    .map((line) =>
      line.map((cell, index) => {
        const width = widths[index] ?? 0
        return index === 0 ? cell.padEnd(width) : cell.padStart(width)
      }).join("  ").trimEnd()
    )
    .join("\n")
}

/** A floor this much slower than its prototype is at fault itself, or the host is slower or busy: ratios are less reliable. */
const SLOW_FLOOR = 1.5

const verdict = ({ earlier, floor_by_prototype, ok, unit }: Row) => {
  const parts = [ok ? "ok" : "OVER"]
  if (earlier.length > 0) parts.push(`before: ${earlier.map(number).join(", ")}`)
  if (!ok && unit === "ms" && floor_by_prototype !== null && floor_by_prototype > SLOW_FLOOR) {
    parts.push(`floor ${number(floor_by_prototype)}x its prototype`)
  }
  return parts.join("; ")
}

/** The report for people: minimum, median and 95th percentile of both sides, and the ratio of the medians. */
export const table = (rows: ReadonlyArray<Row>): string =>
  columns([
    ["", "unit", "floor min/median/p95", "ours min/median/p95", "ratio", "budget", ""],
    ...rows.map((row) => [
      row.name,
      row.unit,
      three(row.floor_summary),
      three(row.ours_summary),
      row.ratio === null ? "-" : `${row.ratio.toFixed(2)}x`,
      row.budget_text,
      verdict(row)
    ])
  ])
