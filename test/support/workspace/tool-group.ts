import { Effect, Fiber } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { isAlive, processIdentity, withChildren } from "../../../src/system/processes/identity.ts"
import { until } from "../pyro-cli.ts"

/** Levels of processes beneath a tool: the launchers of namespaces, a shell and its programs. */
const DEPTH = 12

/** Processes that this process, or a child of it, has started. */
const startedNow = () =>
  withChildren(process.pid, DEPTH).slice(1).flatMap((pid) => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
      const nameEnd = stat.lastIndexOf(")")
      const name = stat.slice(stat.indexOf("(") + 1, nameEnd)
      const group = Number(stat.slice(nameEnd + 2).split(" ")[2])
      const identity = processIdentity(pid)
      return identity === undefined ? [] : [{ pid, name, group, identity }]
    } catch {
      return [] // it ended meanwhile
    }
  })

/**
 * Starts `work`, which starts the program `tool` beneath launchers, interrupts it once that program runs, and waits until all of its processes
 * are gone. Gives the names of the processes at the interruption, and of those that a kill of the first one's process group would miss.
 */
export const interruptedTool = async <A, E>(tool: string, work: Effect.Effect<A, E>) => {
  const before = new Set(startedNow().map(({ pid }) => pid))
  const own = () => startedNow().filter(({ pid }) => !before.has(pid))
  const fiber = Effect.runFork(work)
  await until(tool, () => own().some(({ name }) => name === tool))
  const processes = own()
  await Effect.runPromise(Fiber.interrupt(fiber))
  await until("the end of the tool's processes", () => !processes.some(({ identity }) => isAlive(identity)))
  return {
    names: processes.map(({ name }) => name),
    missed: processes.filter(({ group }) => group !== processes[0]!.group).map(({ name }) => name)
  }
}

/** A file whose reader waits for ever. */
export const endlessFile = (file: string) => {
  execFileSync("mkfifo", [file])
  return file
}
