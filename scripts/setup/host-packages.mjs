import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"
import { install } from "./apt.mjs"
import { run } from "./child.mjs"
import { commandsToRun, sameAs } from "./packages.mjs"
import { SetupFailed } from "./report.mjs"

/** The host's part of set-up: which of `wanted` Debian packages are missing, and installing them. */
export const hostPackages = (wanted) => ({
  pending: async () => {
    const missing = await missingOf(wanted)
    return missing.length === 0 ? undefined : () => install(missing)
  }
})

const missingOf = async (wanted) => {
  const patterns = [...wanted, ...Object.keys(sameAs).map((name) => name.replace(/-dev$/, "-*-dev"))]
  const { code, output } = await run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", ...patterns])
  if (code === 127) return missingCommands()
  const installed = output.split("\n").filter((line) => line.startsWith("installed ")).map((line) => line.slice(10))
  return wanted.filter((name) =>
    !installed.includes(name) && !(name in sameAs && installed.some((other) => sameAs[name].test(other)))
  )
}

const missingCommands = () => {
  const onPath = (command) =>
    (process.env.PATH ?? "").split(delimiter).some((folder) => {
      try {
        accessSync(join(folder, command), constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  const missing = commandsToRun.filter((command) => !onPath(command))
  if (missing.length > 0) {
    throw new SetupFailed(
      `this is not a Debian or Ubuntu system, and these commands were not found: ${missing.join(" ")}\n` +
        "Install them with the system's own package manager, or use `nix develop` (docs/install.md)."
    )
  }
  return []
}
