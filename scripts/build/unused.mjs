/**
 * Modules that packages load and pyro never uses: WebSockets load HTTP, TLS and zlib, one package looks for an extractor, and Effect's
 * Schema brings a generator of test data.
 */
export const unused = {
  name: "unused",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^(ws|msgpackr-extract|fast-check)$/ }, ({ path }) => ({ path, namespace: "unused" }))
    onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
      // msgpackr works without this module.
      contents: path === "msgpackr-extract" ? "throw new Error('not part of the bundle')" : "module.exports = {}",
      loader: "js"
    }))
  }
}
