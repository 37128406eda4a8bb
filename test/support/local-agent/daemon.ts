import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { buildOf } from "../../../src/sdk/installed.ts"
import { bundled, bundleDialProgram, linkBuilt } from "../package/bundled.ts"
import { pyroPath, until } from "../pyro-cli.ts"

/**
 * Starts a daemon of the state directory in `env` whose guests are local agents: the built command finds it there as its own. The commands
 * start another one, of microVMs, if this one ends, so `close` fails then.
 */
export const startLocalDaemon = async (folder: string, agent: string, env: NodeJS.ProcessEnv) => {
  const program = path.join(folder, "daemon-process.mjs")
  await bundled(path.join(import.meta.dirname, "daemon-process.ts"), program)
  await bundleDialProgram(folder)
  linkBuilt(folder)
  const reports = path.join(folder, "reports")
  fs.mkdirSync(reports)
  const build = buildOf(fs.readFileSync(pyroPath, "utf8"))
  const child = spawn(process.execPath, [program, build, agent, reports], { env, stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => said += text)
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const socket = path.join(env["PYRO_STATE_DIR"]!, "daemon/socket")
  await until(() => `a daemon over local agents: ${said}`, () => fs.existsSync(socket) || child.exitCode !== null)
  assert.isNull(child.exitCode, said)
  return {
    pid: child.pid!,
    /** Ends the daemon. Fails if it has ended before, or if a sanitizer reported. */
    close: async () => {
      assert.isNull(child.exitCode ?? child.signalCode, `the daemon over local agents had ended: ${said}`)
      child.kill("SIGTERM")
      await ended
      const reported = fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), "utf8"))
      assert.deepStrictEqual(reported, [], "a sanitizer reported")
    }
  } as const
}
