import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, typesCompiler } from "../setup/project.mjs"

/** As an adapter's bundle and declarations find the handle, whose classes the program's own import of it has, too. */
const HANDLE = "../../sdk/connect.js"

const handle = {
  name: "handle",
  setup: ({ onResolve }) => onResolve({ filter: /^pyro\/promises$/ }, () => ({ path: HANDLE, external: true }))
}

/** Bundles the adapters of `sources`. Each framework is the program's own. */
export const buildAdapters = async (common, sources) => {
  await build({ ...common, outbase: root, entryPoints: sources, packages: "external", plugins: [handle] })
  const project = join(root, "scripts/build/adapters.tsconfig.json")
  execFileSync(typesCompiler, ["--project", project, "--outDir", common.outdir], { stdio: "inherit" })
  const folder = join(common.outdir, "adapters")
  for (const file of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const declarations = readFileSync(join(folder, file), "utf8")
    writeFileSync(join(folder, file), declarations.replace(/(["'])pyro\/promises\1/g, `"${HANDLE}"`))
  }
}
