import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { unused } from "../build/unused.mjs"

/**
 * The npm packages whose code stands in the bundles and in the library: place beneath the root, name, version, license and the
 * integrity of the lock file, by name.
 */
export const bundledPackages = async (root) => {
  const { metafile } = await build({
    entryPoints: ["src/cli/main.ts", "src/network/dial/main.ts", "src/daemon/otlp/exporter.ts", "src/mcp/server.ts"],
    absWorkingDir: root,
    outdir: "unwritten",
    bundle: true,
    platform: "node",
    format: "esm",
    minify: true,
    mainFields: ["module", "main"],
    logLevel: "silent",
    plugins: [unused],
    metafile: true,
    write: false
  })
  const { packages: locked } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))
  const places = new Set(
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    ).flatMap(([file]) => file.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [])
  )
  return [...places].map((place) => {
    const { license, name, version } = JSON.parse(readFileSync(join(root, place, "package.json"), "utf8"))
    return { place, name, version, license, integrity: locked[place]?.integrity }
  }).sort((a, b) => a.name < b.name ? -1 : 1)
}
