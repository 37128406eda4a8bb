import { build } from "esbuild"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { pathToFileURL } from "node:url"

const bundled = async (root, contents, options) => {
  const { outputFiles: [bundle] } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    ...options
  })
  return bundle.contents
}

/** Modules of src, for a script: `contents` is TypeScript that exports them, with paths from the project's root. */
export const importSources = async (root, contents) =>
  import(`data:text/javascript;base64,${Buffer.from(await bundled(root, contents)).toString("base64")}`)

/** The same for modules of the daemon, some of whose packages cannot be in a bundle. */
export const importDaemonSources = async (root, contents) => {
  // Among the packages, where their names are found.
  const file = join(root, "node_modules", `.pyro-sources-${process.pid}.mjs`)
  writeFileSync(file, await bundled(root, contents, { packages: "external" }))
  try {
    return await import(pathToFileURL(file).href)
  } finally {
    rmSync(file)
  }
}
