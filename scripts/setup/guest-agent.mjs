import { availableParallelism } from "node:os"
import { mustRun, run } from "./child.mjs"
import { inRoot, root } from "./project.mjs"
import { step } from "./report.mjs"

const make = (...args) => ["make", "--no-print-directory", "-C", inRoot("guest-agent"), ...args]

/** Compiles a target of the guest agent's Makefile when make finds its sources newer. */
export const guestAgent = (target, title) => ({
  pending: async () => {
    // 0: up to date, 1: something is to be made, 2: no rule or a broken Makefile, which the real run then shows
    const { code } = await run(make("--question", target), { cwd: root })
    return code === 0
      ? undefined
      : () => step(title, () => mustRun("make", make(`-j${availableParallelism()}`, target), { cwd: root }))
  }
})
