import process from "node:process"
import { mustRun } from "./child.mjs"
import { inRoot, newestBeneath, root, writtenAt } from "./project.mjs"
import { step } from "./report.mjs"

const inputs = [
  "src",
  "apps",
  "rootfs/image/pyro_image",
  "scripts/build.mjs",
  "scripts/build",
  "package.json",
  "package-lock.json"
]

/** Bundles `dist/` when a source is newer. */
export const bundle = {
  pending: async () => {
    const builtAt = writtenAt(inRoot("dist/pyro.js"))
    return inputs.every((input) => newestBeneath(inRoot(input), ["__pycache__"]) <= builtAt) ? undefined : build
  }
}

const build = () =>
  step(
    "bundling pyro (2 s)",
    () => mustRun("the build", [process.execPath, inRoot("scripts/build.mjs")], { cwd: root })
  )
