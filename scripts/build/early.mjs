import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import vm from "node:vm"
import { hashed } from "./hashed.mjs"

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

/** The answers of all profiles and modes, one after the other, and where each is. */
const joined = (selections) => {
  const pieces = Object.entries(selections).map(([name, one]) => [name, Buffer.from(JSON.stringify(one))])
  let offset = 0
  const places = pieces.map(([name, { length }]) => {
    const place = [name, [offset, length]]
    offset += length
    return place
  })
  return { answers: Buffer.concat(pieces.map(([, bytes]) => bytes)), places: Object.fromEntries(places) }
}

/** The parts of `pyro mcp serve` and `pyro exec` that run before the program is loaded. */
export const buildEarlyParts = async ({ bundle, root, version }) => {
  const { aliases, exec, handshake } = await recorded(bundle, version, root)
  const { answers, places } = joined(handshake.selections)
  const answersName = hashed("mcp-answers", answers, "json")
  const index = { ...handshake, answersFile: answersName, selections: places }
  return {
    aliases,
    answers,
    answersName,
    handshake: await buildEarly(root, "src/mcp/handshake/handshake.ts", index),
    quickExec: await buildEarly(root, "src/cli/quick-exec/quick-exec.ts", exec)
  }
}
