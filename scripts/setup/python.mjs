import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { mustRun, run } from "./child.mjs"
import { inRoot } from "./project.mjs"
import { step } from "./report.mjs"

/** Python of Debian 13, whose Python runs the program of builders. */
const VERSION = "3.13"
const RELEASE = "trixie"
const debianPackages = ["python3-minimal", "libpython3-stdlib"]
const unpacked = ["./usr/bin/python3.13", "./usr/lib/python3.13", "./usr/lib/x86_64-linux-gnu", "./usr/lib64"]

const list = inRoot("scripts/setup/python-packages.txt")
const platforms = ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"]
const abis = ["cp313", "abi3", "none"]

const key = createHash("sha256").update(VERSION).update(readFileSync(list)).digest("hex").slice(0, 16)
const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pyro-test", "python", key)

/** Python in the version of builders, with the packages of python-packages.txt: a program. */
export const python = join(folder, "python3")

/** A program of one of the packages, such as ruff. */
export const pythonTool = (name) => join(folder, "packages/bin", name)

/** Makes the folder of Python and its packages, which depends on nothing but their list. */
export const guestPython = {
  pending: async () => existsSync(python) ? undefined : install
}

const install = async () => {
  const made = `${folder}.${process.pid}`
  rmSync(made, { recursive: true, force: true })
  mkdirSync(made, { recursive: true })
  const own = await hasVersion()
  if (!own) await unpack(made)
  const tree = join(folder, "tree/usr")
  // Debian 12's C library is older than the one that this Python is linked to.
  const started = own
    ? "python3"
    : `${tree}/lib64/ld-linux-x86-64.so.2 --library-path ${tree}/lib/x86_64-linux-gnu ${tree}/bin/python${VERSION}`
  const environment = `PYTHONPATH="${join(folder, "packages")}" PYTHONDONTWRITEBYTECODE=1`
  writeFileSync(join(made, "python3"), `#!/bin/sh\n${environment} exec ${started} "$@"\n`, { mode: 0o755 })
  await step("installing packages of PyPI (30 MB, 10 s)", () =>
    mustRun("pip", [
      ...["python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"],
      ...["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--requirement", list],
      ...[`--python-version=${VERSION}`, "--implementation=cp", ...abis.map((abi) => `--abi=${abi}`)],
      ...[...platforms.map((platform) => `--platform=${platform}`), "--target", join(made, "packages")]
    ]))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true })
  renameSync(made, folder)
  // Their compiled form halves the start. Without it, everything runs.
  await run([python, "-m", "compileall", "-q", join(folder, "packages")])
}

const hasVersion = async () => {
  const { code } = await run([
    "python3",
    "-c",
    `import sys, ssl; sys.exit("%d.%d" % sys.version_info[:2] != "${VERSION}")`
  ])
  return code === 0
}

/** Python of Debian 13 as files: nothing is installed, and none of its packages' scripts run. */
const unpack = (made) =>
  step(`unpacking Python ${VERSION} of Debian ${RELEASE} (25 MB, 25 s)`, async () => {
    const archive = join(made, "tree.tar")
    await mustRun("mmdebstrap", [
      ...["mmdebstrap", "--quiet", "--variant=extract", `--include=${debianPackages.join(",")}`, RELEASE, archive]
    ])
    mkdirSync(join(made, "tree"))
    const tar = ["tar", "--extract", "--file", archive, "--directory", join(made, "tree"), "--no-same-owner"]
    await mustRun("tar", [...tar, ...unpacked])
    rmSync(archive)
  })
