import { build } from "esbuild"
import { unused } from "./unused.mjs"

/** Bundles a program, or a part of one, that only some processes load. */
export const bundled = async ({ plugins = [unused], ...input }) => {
  const { outputFiles: [output] } = await build({
    ...input,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    legalComments: "none",
    logLevel: "warning",
    plugins,
    write: false
  })
  return output
}
