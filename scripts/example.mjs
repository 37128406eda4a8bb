import { build } from "esbuild"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"
import { sourceUrls } from "./build/source-urls.mjs"
import { withoutCompiled } from "./build/unused.mjs"

// Runs a TypeScript file that imports pyro, with the sources for it: node scripts/example.mjs examples/run.ts

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write("usage: npm run example FILE.ts\n")
  process.exit(2)
}
if (!existsSync(file)) {
  process.stderr.write(`there is no ${file}; examples are in examples/\n`)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), "pyro-example-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
const outfile = join(folder, "example.mjs")
await build({
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  // jsonc-parser has a form for bundles, and one that loads its parts while it runs.
  mainFields: ["module", "main"],
  banner: {
    js: `import { createRequire as __createRequire } from "node:module"
const require = __createRequire(${JSON.stringify(join(root, "package.json"))}), __root = ${
      JSON.stringify(root)
    }, __dirname = __root`
  },
  logLevel: "warning",
  // ssh2 asks objects for the names of their classes.
  keepNames: true,
  plugins: [sourceUrls(root), withoutCompiled]
})
await import(pathToFileURL(outfile).href)
