import process from "node:process"
import { setUp } from "../setup.mjs"
import { run } from "../setup/child.mjs"
import { root } from "../setup/project.mjs"
import { bundleBench } from "./bundle.mjs"

/** `npm run bench -- [--runs N] [--only NAME] [--json FILE]`: see docs/benchmarks.md. */
export const bench = async () => {
  await setUp("bench")
  const outfile = await bundleBench("main.ts")
  // A process of its own, so that the figures exclude the set-up.
  const { code } = await run(
    [process.execPath, "--enable-source-maps", outfile, root, ...process.argv.slice(2)],
    { stdio: "inherit" }
  )
  return code
}
