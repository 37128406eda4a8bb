import { availableParallelism } from "node:os"
import { mustRun, run } from "./child.mjs"
import { inRoot, root } from "./project.mjs"
import { step } from "./report.mjs"

/** Compiles targets of a folder's Makefile when make finds their sources newer. */
export const compiled = ({ folder, targets, title }) => {
  const make = (...args) => ["make", "--no-print-directory", "-C", inRoot(folder), ...args]
  return {
    pending: async () => {
      // 0: up to date, 1: needs a build, 2: a broken Makefile, which the real run then shows
      const { code } = await run(make("--question", ...targets), { cwd: root })
      if (code === 0) return undefined
      return () => step(title, () => mustRun("make", make(`-j${availableParallelism()}`, ...targets), { cwd: root }))
    }
  }
}
