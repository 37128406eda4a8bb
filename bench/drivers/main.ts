import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { openDaemon } from "../daemon.ts"
import { summarize } from "../statistics.ts"
import { columns, three } from "../table.ts"
import type { DriverRow } from "./row.ts"
import { driverRows } from "./rows.ts"

/**
 * Both drivers on one host, in turn: `PYRO [RUNS [ROW...]]`. PYRO is the package's pyro.js, and RUNS the number of samples of each row (5).
 * Needs a KVM that runs Firecracker: the lab has one.
 */
const [program = "pyro.js", runs = "5", ...only] = process.argv.slice(2)

const verdict = ({ atMost }: DriverRow, ratio: number | undefined, value: number) => {
  if (atMost === undefined) return ["-", ""]
  const [limit, measured] = "ratio" in atMost ? [atMost.ratio, ratio ?? Infinity] : [atMost.value, value]
  return [`<= ${limit}${"ratio" in atMost ? "x" : ""}`, measured <= limit ? "ok" : "OVER"]
}

const line = (row: DriverRow, samples: ReadonlyArray<ReadonlyArray<number>>) => {
  const [firecracker, qemu] = [summarize(samples.at(-1) ?? []), samples.length > 1 ? summarize(samples[0]!) : null]
  const ratio = qemu === null ? undefined : firecracker.median / qemu.median
  const shown = ratio === undefined ? "-" : `${ratio.toFixed(2)}x`
  return [row.name, row.unit, three(qemu), three(firecracker), shown, ...verdict(row, ratio, firecracker.median)]
}

const main = async () => {
  const pyro = [process.execPath, fs.realpathSync(path.resolve(program))]
  const daemon = openDaemon(pyro, { PYRO_POOL_MEMBERS: "0" })
  // Beside the cache: each workspace would copy its environment else.
  const state = fs.mkdtempSync(path.join(os.homedir(), ".pyro-without-points-"))
  const withoutPoints = openDaemon(pyro, { PYRO_STATE_DIR: state, PYRO_POOL_MEMBERS: "0", PYRO_REWIND_MIB: "0" })
  const lines = [["", "unit", "QEMU or floor min/median/p95", "Firecracker min/median/p95", "ratio", "budget", ""]]
  const failed: Array<string> = []
  try {
    for (
      const row of driverRows(daemon, withoutPoints).filter(({ name }) => only.length === 0 || only.includes(name))
    ) {
      process.stderr.write(`${row.name}: ${row.about}\n`)
      try {
        lines.push(line(row, await row.measure(Number(runs))))
        process.stderr.write(`  ${lines.at(-1)!.join("  ")}\n`)
      } catch (cause) {
        failed.push(`${row.name}: ${String(cause)}`)
      }
    }
  } finally {
    await daemon.close()
    await withoutPoints.close()
    fs.rmSync(state, { recursive: true, force: true })
  }
  process.stdout.write(`\n${columns(lines)}\n`)
  for (const one of failed) process.stdout.write(`not measured: ${one}\n`)
  process.exit(failed.length === 0 ? 0 : 1)
}

await main()
