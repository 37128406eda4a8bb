/** Packages and compiled modules that a package tries to load and does without: their absence is an error that the package catches. */
const absent = ({ onLoad, onResolve }) => {
  onResolve({ filter: /^cpu-features$|\.node$/ }, ({ path }) => ({ path, namespace: "absent" }))
  onLoad({ filter: /.*/, namespace: "absent" }, () => ({
    contents: "throw new Error(\"this module is not in the bundle\")",
    loader: "js"
  }))
}

/** Modules that packages load and pyro never uses: WebSockets load HTTP, TLS and zlib. */
export const unused = {
  name: "unused",
  setup: (build) => {
    absent(build)
    build.onResolve(
      { filter: /^ws$/ },
      // The client of a door needs them.
      ({ importer, path }) => importer.endsWith("/src/remote/door/line.ts") ? undefined : { path, namespace: "unused" }
    )
    build.onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {}", loader: "js" }))
  }
}

/** The same for a program that may use WebSockets itself. */
export const withoutCompiled = { name: "without-compiled", setup: absent }
