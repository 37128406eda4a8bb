import { join } from "node:path"
import process from "node:process"
import { setUp } from "../setup.mjs"
import { run } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"

/** `npm run bench -- [--runs N] [--only NAME] [--json FILE]`: see docs/benchmarks.md. */
export const bench = async () => {
  await setUp("bench")
  const { build } = await import("esbuild")
  const outfile = join(root, "node_modules", ".cache", "pyro-bench", "main.mjs")
  await build({
    entryPoints: [inRoot("bench/main.ts")],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning"
  })
  // A process of its own, so that the figures exclude the set-up.
  const { code } = await run(
    [process.execPath, "--enable-source-maps", outfile, root, ...process.argv.slice(2)],
    { stdio: "inherit" }
  )
  return code
}
