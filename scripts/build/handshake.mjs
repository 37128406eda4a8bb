import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import vm from "node:vm"

/** Asks the program that was just built what its MCP server answers to first requests. */
const recorded = (bundle, version, root) => {
  const module = { exports: {} }
  const script = new vm.Script(readFileSync(bundle, "latin1"), { filename: bundle })
  script.runInThisContext()(module, module.exports, createRequire(bundle), bundle, dirname(bundle), root)
  return module.exports.recorded(version)
}

/** The part of `pyro mcp serve` that answers first requests, as one file that loads no package. */
export const buildHandshake = async ({ bundle, root, version }) => {
  const { metafile, outputFiles: [{ contents }] } = await build({
    entryPoints: [join(root, "src/mcp/handshake/handshake.ts")],
    bundle: true,
    minify: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    define: { RECORDED: JSON.stringify(JSON.stringify(await recorded(bundle, version, root))) },
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    write: false
  })
  const packages = Object.keys(metafile.inputs).filter((file) => file.includes("node_modules/"))
  if (packages.length > 0) throw new Error(`the first answers of mcp serve would wait for ${packages.join(", ")}`)
  return contents
}
