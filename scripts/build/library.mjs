import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, typesCompiler } from "../setup/project.mjs"
import { buildAdapters } from "./adapters.mjs"
import { longPackets } from "./ssh-packets.mjs"
import { unused, withoutCompiled } from "./unused.mjs"

// Builds the modules and types that other programs import (`exports` of package.json): node scripts/build/library.mjs. They are
// part of a package, not of a working tree, in which examples import the sources.

const outdir = join(root, "dist", "lib")
rmSync(outdir, { recursive: true, force: true })

const { exports, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
/** `./dist/lib/sdk/index.js` is built from `src/sdk/index.ts`, `./dist/lib/adapters/mastra/index.js` from `adapters/mastra/index.ts`. */
const sourceOf = (file) => {
  const [, path] = /^\.\/dist\/lib\/(.*)\.js$/.exec(file)
  return join(root, path.startsWith("adapters/") ? "" : "src", `${path}.ts`)
}
const common = {
  outdir,
  outbase: join(root, "src"),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  legalComments: "none",
  logLevel: "warning"
}

/** jsonc-parser has a form for bundles, and one that loads its parts while it runs. */
const mainFields = ["module", "main"]

/** Programs without any other package: effect is inside. */
const STANDALONE = ["./promises"]
/** Adapters are built on the standalone handle, each for a framework of its own. */
const kindOf = (name, file) =>
  file.startsWith("./dist/lib/adapters/") ? "adapter" : STANDALONE.includes(name) ? "standalone" : "library"
const entriesOf = (kind) =>
  Object.entries(exports).filter(([name, one]) => typeof one === "object" && kindOf(name, one.default) === kind)
    .map(([, one]) => sourceOf(one.default))

await build({
  ...common,
  entryPoints: entriesOf("standalone"),
  minify: true,
  mainFields,
  // Names of classes are names of errors.
  keepNames: true,
  plugins: [unused]
})

await build({
  ...common,
  entryPoints: entriesOf("library"),
  splitting: true,
  mainFields,
  // The program's own effect and MCP SDK, not second ones: their values are passed in and out.
  external: Object.keys(peerDependencies).flatMap((name) => [name, `${name}/*`]),
  // ssh2 is a CommonJS package that loads modules of Node.
  banner: {
    js: `import { createRequire as requireOf } from "node:module";
const require = requireOf(import.meta.url), __dirname = import.meta.dirname;`
  },
  // It asks objects for the names of their classes.
  keepNames: true,
  plugins: [withoutCompiled, longPackets]
})

await buildAdapters(common, entriesOf("adapter"))

writeFileSync(join(outdir, "package.json"), `${JSON.stringify({ type: "module" })}\n`)
execFileSync(typesCompiler, ["--project", join(root, "scripts/build/library.tsconfig.json"), "--outDir", outdir], {
  stdio: "inherit"
})

// TypeScript before 5.7 knows no type parameter of Uint8Array and Buffer, and people do not want to read it.
for (const file of readdirSync(outdir, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
  const declarations = readFileSync(join(outdir, file), "utf8")
  writeFileSync(join(outdir, file), declarations.replace(/\b(Uint8Array|Buffer)<ArrayBufferLike>/g, "$1"))
}
