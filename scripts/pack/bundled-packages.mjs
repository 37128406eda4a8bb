import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { pageModules } from "../../apps/web/build.mjs"
import { unused } from "../build/unused.mjs"

/**
 * The npm packages whose code stands in the bundles, in the library and in the page: place beneath the root, name, version, license and the
 * integrity of the lock file, by name.
 */
export const bundledPackages = async (root) => {
  const bundles = [
    await bundle(root, [
      "src/cli/main.ts",
      "src/lib/network/dialer/process.ts",
      "src/daemon/otlp/exporter.ts",
      "src/mcp/server.ts"
    ], [unused]),
    // With the packages that the other bundles leave out, as scripts/build.mjs makes it.
    await bundle(root, ["src/daemon/page/page-listener.ts", "src/serve/door/listener.ts"], [])
  ]
  const { packages: locked } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))
  const files = [
    ...bundles.flatMap(({ outputs }) =>
      Object.values(outputs).flatMap(({ inputs }) =>
        Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => bytesInOutput > 0 ? [file] : [])
      )
    ),
    ...(await pageModules()).map((file) => relative(root, file))
  ]
  const places = new Set(files.flatMap((file) => file.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []))
  return [...places].map((place) => {
    // Older packages have a list.
    const { licenses, license = licenses?.[0]?.type, name, version } = JSON.parse(
      readFileSync(join(root, place, "package.json"), "utf8")
    )
    return { place, name, version, license, integrity: locked[place]?.integrity }
  }).sort((a, b) => a.name < b.name ? -1 : 1)
}

const bundle = async (root, entryPoints, plugins) => {
  const { metafile } = await build({
    entryPoints,
    absWorkingDir: root,
    outdir: "unwritten",
    bundle: true,
    platform: "node",
    format: "esm",
    minify: true,
    mainFields: ["module", "main"],
    logLevel: "silent",
    plugins,
    metafile: true,
    write: false
  })
  return metafile
}
