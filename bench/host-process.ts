import { spawn } from "node:child_process"
import * as fs from "node:fs"

export interface Ended {
  readonly ms: number
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. `ms` is the time from before its start to its exit. Any status but `status` fails. */
export const runProgram = (
  argv: ReadonlyArray<string>,
  expected = 0,
  env: NodeJS.ProcessEnv = process.env
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = argv
    const since = performance.now()
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env })
    let [ms, stdout, stderr] = [0, "", ""]
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.once("error", reject)
    child.once("exit", () => (ms = performance.now() - since))
    child.once("close", (code, signal) => {
      if (code === expected) return resolve({ ms, status: code, stdout, stderr })
      reject(new Error(`${argv.join(" ")}: ended with ${signal ?? code}: ${stderr.trim() || stdout.trim()}`))
    })
  })

const readOrEmpty = (file: string) => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return "" // the process has ended
  }
}

/** All descendants of `pid`. */
export const descendants = (pid: number): ReadonlyArray<number> => {
  const children = new Map<number, Array<number>>()
  for (const name of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    // The name in parentheses may hold any bytes: state and parent follow the last parenthesis.
    const parent = Number(/.*\) \S (\d+)/s.exec(readOrEmpty(`/proc/${name}/stat`))?.[1] ?? "-1")
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const below = (of: number): ReadonlyArray<number> =>
    (children.get(of) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}

/** Processor time of a process and all its threads, in ms. The kernel counts it in steps of 10 (proc(5), stat). */
export const cpuMs = (pid: number): number => {
  const fields = readOrEmpty(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? []
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

const kib = (text: string, field: string) => {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)
  return found === null ? undefined : Number(found[1])
}

/** Sum of fields of processes in MiB (proc(5), smaps_rollup). */
const rolledUpMib = (pids: ReadonlyArray<number>, ...fields: ReadonlyArray<string>): number => {
  const sizes = pids.flatMap((pid) => {
    const text = readOrEmpty(`/proc/${pid}/smaps_rollup`)
    return fields.map((field) => kib(text, field))
  })
  if (sizes.length === 0 || sizes.some((size) => size === undefined)) {
    throw new Error("the memory of a VM's process cannot be read; try as the user who runs it")
  }
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) / 1024
}

/** Memory of processes in MiB, with shared memory divided by its users. */
export const proportionalMib = (pids: ReadonlyArray<number>): number => rolledUpMib(pids, "Pss")

/** Memory of processes in MiB that no other process has. */
export const privateMib = (pids: ReadonlyArray<number>): number => rolledUpMib(pids, "Private_Clean", "Private_Dirty")

/** Resident memory of one process in MiB; 0 after its end. */
export const residentMib = (pid: number): number => (kib(readOrEmpty(`/proc/${pid}/status`), "VmRSS") ?? 0) / 1024
