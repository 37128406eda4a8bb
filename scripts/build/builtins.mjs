/** Parts of Node that most modules of pyro name. */
const COMMON = ["fs", "net", "os", "path"]
/** Parts that take milliseconds to load, and that few processes use. */
const SLOW = ["child_process", "crypto", "fs/promises", "tls"]

const FILTER = new RegExp(`^(node:)?(${[...COMMON, ...SLOW].join("|")})$`)

const early = (name) => `module.exports = Object.create(require("node:${name}"))`

/** Loads with the first use of one of its names. */
const late = (name) => `
let loaded
const load = () => loaded ??= require("node:${name}")
module.exports = Object.create(new Proxy({}, { get: (_, name) => load()[name] }))`

/**
 * Parts of Node as modules of a bundle. esbuild loads a part with each module that imports it, and copies all names of the part for each
 * of them. What these modules export has its names from its prototype, which esbuild takes over as it is.
 */
export const builtins = {
  name: "builtins",
  setup: ({ onLoad, onResolve }) => {
    onResolve(
      { filter: FILTER },
      ({ kind, path }) =>
        kind === "import-statement" ? { path: path.replace(/^node:/, ""), namespace: "builtin" } : undefined
    )
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      loader: "js",
      contents: SLOW.includes(path) ? late(path) : early(path)
    }))
  }
}
