import { writeFileSync } from "node:fs"
import process from "node:process"
import { pathToFileURL } from "node:url"
import { inRoot } from "../setup/project.mjs"

/** As `src/environment/namespace.ts`: a command as root of mount and pid namespaces of its own. */
export const asNamespaceRoot = (command) => {
  const ids = process.getuid() === 0 ? [] : ["--user", "--map-root-user", "--map-auto"]
  return ["unshare", ...ids, "--mount", "--pid", "--fork", "--kill-child", ...command]
}

/**
 * Where packages of a Debian release come from on this host, and how its apt fetches: lines of a sources.list and of an apt.conf, as
 * the product itself finds them for its environments.
 */
export const hostApt = async (codename) => {
  const { build } = await import("esbuild")
  const { outputFiles: [bundle] } = await build({
    stdin: {
      contents: `export * from "./src/environment/sources.ts"; export { runPromise } from "effect/Effect"`,
      resolveDir: inRoot()
    },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    logLevel: "silent"
  })
  // The recipes are found from where the code lies.
  const file = inRoot("node_modules", ".pyro-lab-sources.mjs")
  writeFileSync(file, bundle.contents)
  const { debianSources, hostFetchSettings, runPromise } = await import(pathToFileURL(file))
  return { sources: await runPromise(debianSources(codename)), settings: await runPromise(hostFetchSettings) }
}
