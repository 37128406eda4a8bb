import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import vm from "node:vm"

/** Asks the new program for the answers and requests that precede its load. */
const recorded = (bundle, version, root) => {
  const module = { exports: {} }
  const script = new vm.Script(readFileSync(bundle, "latin1"), { filename: bundle })
  script.runInThisContext()(module, module.exports, createRequire(bundle), bundle, dirname(bundle), root)
  return module.exports.recorded(version)
}

/** A file that loads no package. */
const buildEarly = async (root, source, RECORDED) => {
  const { metafile, outputFiles: [{ contents }] } = await build({
    entryPoints: [join(root, source)],
    bundle: true,
    minify: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    define: { RECORDED: JSON.stringify(JSON.stringify(RECORDED)) },
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    write: false
  })
  const packages = Object.keys(metafile.inputs).filter((file) => file.includes("node_modules/"))
  if (packages.length > 0) throw new Error(`${source} is to be fast, and would load ${packages.join(", ")}`)
  return contents
}

/** The parts of `pyro mcp serve` and `pyro workspace exec` that run before the program is loaded. */
export const buildEarlyParts = async ({ bundle, root, version }) => {
  const { exec, handshake } = await recorded(bundle, version, root)
  return {
    handshake: await buildEarly(root, "src/mcp/handshake/handshake.ts", handshake),
    quickExec: await buildEarly(root, "src/cli/quick-exec/quick-exec.ts", exec)
  }
}
