import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { stateOf } from "../host/process-facts.ts"
import type { Installation } from "../installation.ts"
import { until } from "../pyro-cli.ts"
import { lapsed } from "../until.ts"

const pidIn = (file: string, key: "process" | "qemu", purpose?: string): number | undefined => {
  try {
    const record = JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, { readonly pid?: number } | string>
    if (purpose !== undefined && record["purpose"] !== purpose) return undefined
    return (record[key] as { readonly pid?: number } | undefined)?.pid
  } catch {
    return undefined // it is being written, or gone
  }
}

/** Kills every QEMU that is a workspace's, and waits for their end. */
const killAll = async (state: string) => {
  const vms = path.join(state, "vms")
  const pids = fs.readdirSync(vms)
    .map((id) => pidIn(path.join(vms, id, "record.json"), "qemu", "workspace"))
    .filter((pid) => pid !== undefined)
  for (const pid of pids) {
    if ([undefined, "Z"].includes(stateOf(pid))) continue
    process.kill(pid, "SIGKILL")
    await until("QEMU's end", () => [undefined, "Z"].includes(stateOf(pid)))
  }
}

/**
 * Runs one command with a daemon that halts at a point of it; every QEMU of a workspace is killed there before it goes on. Gives how the
 * command ended. The next command has another daemon.
 */
export const qemuKilledAt = async (
  { call, json, state }: Installation,
  point: string,
  args: ReadonlyArray<string>
) => {
  await json(["daemon", "stop"])
  let over = false
  const asked = call([...args, "--json"], { env: { PYRO_FAULT_HALT: point } }).finally(() => (over = true))
  let halted = false
  while (!over) {
    await lapsed(5)
    const daemon = pidIn(path.join(state, "daemon", "daemon.json"), "process")
    if (daemon === undefined || stateOf(daemon) !== "T") continue
    // A step may pass the same point again.
    if (!halted) await killAll(state)
    halted = true
    process.kill(daemon, "SIGCONT")
  }
  const ended = await asked
  assert.isTrue(halted, `${point} was not reached: ${ended.stdout.toString()}${ended.stderr}`)
  await json(["daemon", "stop"])
  return ended
}
