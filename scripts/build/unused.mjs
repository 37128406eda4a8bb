/** Modules that packages load and pyro never uses: WebSockets load HTTP, TLS and zlib. */
export const unused = {
  name: "unused",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^ws$/ }, ({ path }) => ({ path, namespace: "unused" }))
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {}", loader: "js" }))
  }
}
