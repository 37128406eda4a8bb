import { readFileSync } from "node:fs"
import { relative } from "node:path"
import { withDeepImports } from "./deep-imports.mjs"

/**
 * Gives each module the URL of its source, and its parts of Effect one by one. Otherwise every module in a bundle would have the bundle's own URL. The bundle is
 * CommonJS and finds the package's root in `__root`.
 */
export const sourceUrls = (root) => ({
  name: "source-urls",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const source = withDeepImports(root, readFileSync(path, "utf8"))
      const name = JSON.stringify(relative(root, path))
      return {
        loader: "ts",
        contents: source
          .replaceAll("import.meta.url", `require("node:url").pathToFileURL(__root + "/" + ${name}).href`)
          .replaceAll("import.meta.filename", `(__root + "/" + ${name})`)
          .replaceAll("import.meta.dirname", `require("node:path").dirname(__root + "/" + ${name})`)
      }
    })
})
