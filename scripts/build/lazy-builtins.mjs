import { createRequire, isBuiltin } from "node:module"

const require = createRequire(import.meta.url)

/** Parts of Node that take milliseconds to load, and that many modules of pyro name and few processes use. */
const SLOW = ["child_process", "crypto", "fs/promises", "tls"]

const FILTER = new RegExp(`^(node:)?(${SLOW.join("|")})$`)

/** Loads a slow part of Node with the first use of one of its names, not with the module that imports it. */
export const lazyBuiltins = {
  name: "lazy-builtins",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: FILTER }, ({ namespace, path }) =>
      namespace === "lazy-builtin" || !isBuiltin(path)
        ? undefined
        : { path: path.replace(/^node:/, ""), namespace: "lazy-builtin" })
    onLoad({ filter: /.*/, namespace: "lazy-builtin" }, ({ path }) => {
      const names = Object.keys(require(`node:${path}`))
      return {
        loader: "js",
        contents: `let loaded
const load = () => loaded ??= require("node:${path}")
module.exports = {${names.map((name) => `get ${JSON.stringify(name)}() { return load()[${JSON.stringify(name)}] }`)}}`
      }
    })
  }
}
