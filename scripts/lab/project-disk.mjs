import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { PACKAGE } from "../../test/lab/checks/package.mjs"
import { mustRun } from "../setup/child.mjs"
import { inRoot } from "../setup/project.mjs"
import { step } from "../setup/report.mjs"

/** Space for templates, overlays and test folders in addition to the copied files. The disk is sparse. */
const diskBytes = 12 * 1024 ** 3

const built = ["package.json", "dist", "guest-agent", "native", "rootfs"]
/** The frameworks of the adapters stay: their tests need the internet. */
const adapters = readdirSync(inRoot("adapters")).filter((name) => name !== "node_modules")
  .map((name) => join("adapters", name))
const code = ["node_modules", "src", ...adapters, "apps", "test", "scripts", "tsconfig.json", "vitest.config.ts"]
/** Tests of the documents run their commands. */
const documents = ["README.md", "docs", "examples"]
const forTests = [...built, ...code, ...documents]

/**
 * Writes the home of the machine's ordinary user as a disk image: the npm package `archive`, and pyro's cache with the kernel and the
 * `environments`, so that the machine fetches nothing. `programs` are files to have beside the lab's own, by name. `full` adds this clone,
 * built, with the files of the test suite.
 */
export const projectDisk = (file, { archive, environments, full, programs = {} }) =>
  step("copying the package and its environment onto a disk (10 s)", async () => {
    const home = `${file}.tree`
    await copy(archive, join(home, PACKAGE))
    for (const name of full ? forTests : []) await copy(inRoot(name), join(home, "pyro", name))
    await copy(inRoot("test/lab/guest"), join(home, ".lab"))
    for (const [name, file] of Object.entries(programs)) await copy(file, join(home, ".lab", name))
    for (const path of await cachedPieces(environments)) {
      await copy(join(pyroCache(), path), join(home, ".cache/pyro", path))
    }
    writeFileSync(file, "")
    truncateSync(file, diskBytes)
    const options = [
      "-q",
      "-t",
      "ext4",
      "-m",
      "0",
      "-E",
      "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=1000:1000"
    ]
    // Maps this user to 1000, the machine's user, so that all files belong to 1000.
    const named1000 = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    await mustRun("mke2fs", [...named1000, "mke2fs", ...options, "-d", home, file], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
    })
    await mustRun("rm", ["rm", "-rf", home])
  })

const pyroCache = () =>
  process.env.PYRO_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pyro")

const readJson = (...path) => JSON.parse(readFileSync(join(pyroCache(), ...path), "utf8"))

/** Files and folders of the cache for environments and the kernel. */
const cachedPieces = async (environments) => {
  const names = environments.map((name) => join("environments", "names", `${name}.json`))
  const kernel = join("kernels", "current.json")
  const digests = new Set(names.map((name) => readJson(name).digest))
  return [
    ...names,
    ...[...digests].map((digest) => join("environments", digest)),
    kernel,
    join("kernels", readJson(kernel))
  ]
}

const copy = async (from, to) => {
  if (!existsSync(from)) throw new Error(`${from} is missing`)
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 })
  await mustRun("cp", [
    "cp",
    "-R",
    "--reflink=auto",
    "--sparse=auto",
    "--no-dereference",
    "--preserve=mode,timestamps,links",
    from,
    to
  ])
}
