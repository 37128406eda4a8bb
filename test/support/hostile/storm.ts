import { spawn } from "node:child_process"
import * as path from "node:path"
import * as readline from "node:readline"
import type { StormOptions, StormReport } from "../../guest/hostile-driver.ts"
import { bundled } from "../package/bundled.ts"

/** Starts the process that has the hostile agents; they are there when this resolves. */
export const startStorm = async (folder: string, options: StormOptions) => {
  const program = path.join(folder, "hostile-driver.mjs")
  await bundled(path.resolve(import.meta.dirname, "../../guest/hostile-driver.ts"), program)
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    env: { ...process.env, PYRO_STATE_DIR: options.state },
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async <A>() => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error(`the storm's process ended with ${await ended}`)
    return JSON.parse(value) as A
  }
  const { made } = await answer<
    { readonly made: ReadonlyArray<{ readonly workspace: string; readonly vm: string }> }
  >()
  return {
    made,
    /** Sends so many mutated frames over so many more of the connections. */
    send: (frames: number, connections: number, daemon: object) => {
      child.stdin.write(JSON.stringify({ frames, connections, daemon }) + "\n")
      return answer<StormReport>()
    },
    end: () => {
      child.stdin.end()
      return ended
    }
  }
}
