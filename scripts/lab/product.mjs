import { writeFileSync } from "node:fs"
import process from "node:process"
import { pathToFileURL } from "node:url"
import { inRoot } from "../setup/project.mjs"

/** As `src/system/processes/child.ts`: a command as root of its own mount and pid namespaces. */
export const asNamespaceRoot = (command) => {
  const ids = process.getuid() === 0 ? [] : ["--user", "--map-root-user", "--map-auto"]
  return ["unshare", ...ids, "--mount", "--pid", "--fork", "--kill-child", ...command]
}

/**
 * Sources of a Debian release's packages on this host, and its apt's transport settings: lines of a sources.list and of an
 * apt.conf, as the product finds them for its environments.
 */
export const hostApt = async (codename) => {
  const { build } = await import("esbuild")
  const { outputFiles: [bundle] } = await build({
    stdin: {
      contents:
        `export * from "./src/lib/environment/model/debian-sources.ts"; export { runPromise } from "effect/Effect"`,
      resolveDir: inRoot()
    },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    logLevel: "silent"
  })
  // The recipes' path is relative to the code.
  const file = inRoot("node_modules", ".pyro-lab-sources.mjs")
  writeFileSync(file, bundle.contents)
  const { debianSources, hostFetchSettings, runPromise } = await import(pathToFileURL(file))
  return { sources: await runPromise(debianSources(codename)), settings: await runPromise(hostFetchSettings) }
}
