import { accessSync, constants, existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"
import { install } from "./apt.mjs"
import { run } from "./child.mjs"
import { commandsToRun, sameAs } from "./packages.mjs"
import { SetupFailed } from "./report.mjs"

/** Set-up of the host: finds missing Debian packages of `wanted`, and installs them. */
export const hostPackages = (wanted) => ({
  pending: async () => {
    const missing = await missingOf(wanted)
    return missing.length === 0 ? undefined : () => install(missing)
  }
})

const missingOf = async (wanted) => {
  const patterns = [...wanted, ...Object.keys(sameAs).map((name) => name.replace(/-dev$/, "-*-dev"))]
  // A Nix shell brings the commands along, on Debian too.
  if (process.env.IN_NIX_SHELL !== undefined || !existsSync("/var/lib/dpkg/status")) return missingCommands()
  const { output } = await run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", ...patterns])
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
      `these commands were not found, and without Debian's package management they cannot be installed from here: ${
        missing.join(" ")
      }\n` +
        "Install them with the system's own package manager, or use `nix develop` (docs/install.md)."
    )
  }
  return []
}
