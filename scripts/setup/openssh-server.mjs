import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { download } from "./apt.mjs"
import { mustRun } from "./child.mjs"
import { step } from "./report.mjs"

/** The server, and the library that it links and hosts rarely have. */
const packages = ["openssh-server", "libwrap0"]

const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pyro-test", "openssh-server")

/** OpenSSH's server as files: an installation would open a port of the host. test/support/ssh/sshd.ts starts it. */
export const opensshServer = {
  pending: async () => existsSync(folder) ? undefined : unpack
}

const unpack = () =>
  step("unpacking OpenSSH's server (0.5 MB, 2 s)", async () => {
    const made = `${folder}.${process.pid}`
    rmSync(made, { recursive: true, force: true })
    mkdirSync(made, { recursive: true })
    await download(packages, made)
    for (const file of readdirSync(made)) {
      await mustRun("dpkg-deb", ["dpkg-deb", "--extract", join(made, file), join(made, "tree")])
    }
    mkdirSync(dirname(folder), { recursive: true })
    renameSync(join(made, "tree"), folder)
    rmSync(made, { recursive: true })
  })
