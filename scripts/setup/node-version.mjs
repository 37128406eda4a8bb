// Plain syntax only, so that an old Node can read this file and report its age.
import process from "process"

/**
 * Ends the process with a message unless this is a Node of at least `major.minor` on x86-64 Linux.
 */
export function requireHost(major, minor) {
  const found = process.versions.node.split(".").map(Number)
  if (found[0] < major || (found[0] === major && found[1] < minor)) {
    leave(
      "pyro needs Node " + major + (minor > 0 ? "." + minor : "") + " or newer; this is " + process.version + " (" +
        process.execPath +
        ").\nInstall a newer one, for instance from https://nodejs.org/en/download, and type the same again."
    )
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    leave("pyro runs on x86-64 Linux; this is " + process.platform + " on " + process.arch + ".")
  }
}

function leave(message) {
  process.stderr.write(message + "\n")
  process.exit(1)
}
