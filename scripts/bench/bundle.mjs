import { join } from "node:path"
import { inRoot, root } from "../setup/project.mjs"

/** Bundles an entry point of bench/ and gives the file. `alone`: with its packages, for a machine that has none of them. */
export const bundleBench = async (entry, { alone = false } = {}) => {
  const { build } = await import("esbuild")
  const outfile = join(
    root,
    "node_modules",
    ".cache",
    "pyro-bench",
    entry.replaceAll("/", "-").replace(/\.ts$/, ".mjs")
  )
  await build({
    entryPoints: [inRoot("bench", entry)],
    outfile,
    bundle: true,
    packages: alone ? "bundle" : "external",
    platform: "node",
    target: "node20",
    format: "esm",
    // jsonc-parser has a form for bundles, and one that loads its parts while it runs.
    mainFields: ["module", "main"],
    // Packages of the older module format call `require`.
    banner: alone
      ? { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" }
      : {},
    sourcemap: alone ? false : "inline",
    logLevel: "warning"
  })
  return outfile
}
