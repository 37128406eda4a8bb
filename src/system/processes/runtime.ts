import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { DaemonUnavailable, HostToolMissing } from "../../contract/errors/errors.ts"
import { command, words } from "../../contract/errors/next-step.ts"
import { settingNow } from "../settings/config.ts"
import { isExecutable } from "./host.ts"

/** Name and version of the runtime of this program, if it is not Node. Such a runtime gives a version of Node too. */
const otherRuntime = (): string | undefined => {
  const { bun, deno } = process.versions
  if (bun !== undefined) return `Bun ${bun}`
  return deno === undefined ? undefined : `Deno ${deno}`
}

/** The program of Node: this process's own, else the first one on PATH. `bun run --bun` puts Bun there, under the name of Node. */
export const nodeProgram: Effect.Effect<string, HostToolMissing> = Effect.suspend(() => {
  const runtime = otherRuntime()
  if (runtime === undefined) return Effect.succeed(process.execPath)
  const own = fs.realpathSync(process.execPath)
  // A relative folder could be a repository's.
  const folders = settingNow("PATH").split(path.delimiter).filter((folder) => path.isAbsolute(folder))
  const found = folders.map((folder) => path.join(folder, "node")).find((file) =>
    isExecutable(file) && fs.realpathSync(file) !== own
  )
  return found === undefined
    ? new HostToolMissing({
      tool: "node",
      package: "nodejs",
      detail: `${runtime} runs this program, and PATH has no Node.js for pyro's daemon`,
      next: [words("Put Node.js 20 or newer on PATH")]
    })
    : Effect.succeed(found)
})

/** Fails if Deno keeps this program from /proc, which it opens with all permissions alone. Sockets and processes are found there. */
export const demandPermissions: Effect.Effect<void, DaemonUnavailable> = Effect.suspend(() => {
  if (process.versions["deno"] === undefined) return Effect.void
  try {
    fs.readFileSync("/proc/self/stat")
    return Effect.void
  } catch {
    return new DaemonUnavailable({
      detail: `${otherRuntime()} keeps this program from /proc`,
      next: [command("Start the program with all permissions", "deno run --allow-all PROGRAM")]
    })
  }
})
