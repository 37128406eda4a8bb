// Plain syntax only, so that an old Node can read this file and report its age.
import process from "process"

/** Debian 12's. It installs npm's packages, and the Node among them runs everything else. */
const OLDEST = 18

/** Ends the process with a message unless this is a Node that can begin the set-up, on x86-64 Linux. */
export function requireHost() {
  if (Number(process.versions.node.split(".")[0]) < OLDEST) {
    leave(
      "the set-up of pyro begins with Node " + OLDEST + " or newer; this is " + process.version + " (" +
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
