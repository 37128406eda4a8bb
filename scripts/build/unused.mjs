/**
 * Modules that packages load and pyro never uses: WebSockets load HTTP, TLS and zlib, and one package looks for an extractor.
 */
export const unused = {
  name: "unused",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^(ws|msgpackr-extract)$/ }, ({ path }) => ({ path, namespace: "unused" }))
    onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
      // msgpackr works without this module.
      contents: path === "msgpackr-extract" ? "throw new Error('not part of the bundle')" : "module.exports = {}",
      loader: "js"
    }))
  }
}
