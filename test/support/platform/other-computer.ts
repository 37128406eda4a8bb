import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { assert } from "vitest"
import { pyro, type PyroOptions, pyroPath } from "../pyro-cli.ts"

const guard = path.join(path.dirname(fileURLToPath(import.meta.url)), "guard.cjs")

export type System = "darwin" | "win32"

/** A computer of another system: a process of Node in which each call fails that such a computer does not have. */
export const otherComputer = (system: System, folder: string) => {
  const report = path.join(folder, `guard-${system}`)
  fs.writeFileSync(report, "")
  const env = {
    GUARD_SYSTEM: system,
    GUARD_REPORT: report,
    PYRO_STATE_DIR: path.join(folder, `state-${system}`),
    PYRO_CACHE_DIR: path.join(folder, `cache-${system}`)
  }
  return {
    env,
    /** Words that start a program there. */
    node: [process.execPath, "--require", guard],
    /** Runs pyro's built command there. */
    call: (args: ReadonlyArray<string>, more: PyroOptions = {}) =>
      pyro(args, { ...more, start: [process.execPath, "--require", guard, pyroPath], env: { ...env, ...more.env } }),
    /** Fails if a program asked for something that such a computer does not have. */
    assertUnasked: () => assert.strictEqual(fs.readFileSync(report, "utf8"), "")
  }
}
