import { existsSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import process from "node:process"
import { mustRun } from "./child.mjs"
import { inRoot, root } from "./project.mjs"
import { step } from "./report.mjs"

/** Installs the npm packages of the lock file if node_modules differs from it. */
export const nodeModules = {
  pending: async () => upToDate() ? undefined : install
}

const install = async () => {
  const names = Object.entries(packagesOf("package-lock.json")).filter(([, entry]) => fitsHost(entry)).map(([name]) =>
    name
  )
  await step(`installing ${names.length} npm packages (about 115 MB, 30 s)`, async (progress) => {
    const timer = setInterval(
      () => progress(names.filter((name) => existsSync(inRoot(name, "package.json"))).length / names.length),
      500
    )
    try {
      // No package's own scripts run: nothing here needs them (esbuild's only makes its command line start faster).
      await mustRun("npm ci", [...npm(), "ci", "--include=dev", "--ignore-scripts"], { cwd: root, interrupt: "kill" })
    } finally {
      clearInterval(timer)
    }
  })
}

/** Every package of the lock that is not optional must exist in its version, and no other package. */
const upToDate = () => {
  const installedRecord = "node_modules/.package-lock.json"
  if (!existsSync(inRoot(installedRecord))) return false
  const locked = packagesOf("package-lock.json")
  const installed = packagesOf(installedRecord)
  return Object.entries(locked).every(([name, entry]) =>
    installed[name] === undefined ? entry.optional === true : installed[name].version === entry.version
  ) && Object.keys(installed).every((name) => name in locked && existsSync(inRoot(name)))
}

const fitsHost = ({ cpu = ["x64"], os = ["linux"], libc = ["glibc"] }) =>
  cpu.includes("x64") && os.includes("linux") && libc.includes("glibc")

/** The entries of a lock file by folder, the project's own left out. */
const packagesOf = (path) => {
  const { packages } = JSON.parse(readFileSync(inRoot(path), "utf8"))
  delete packages[""]
  return packages
}

/** The npm that runs this script, if any: a second npm on PATH may belong to another Node. */
const npm = () => {
  const running = process.env.npm_execpath
  return running !== undefined && basename(running) === "npm-cli.js" ? [process.execPath, running] : ["npm"]
}
