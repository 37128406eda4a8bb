import { existsSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import process from "node:process"
import { mustRun } from "./child.mjs"
import { inRoot } from "./project.mjs"
import { step } from "./report.mjs"

/** Installs the npm packages of a folder's lock file if its node_modules differs from the file. `cost` says what that takes. */
const lockedPackages = ({ cost, folder }) => {
  const place = (...names) => inRoot(folder, ...names)

  /** Every package of the lock that is not optional must exist in its version, and no other package. */
  const upToDate = () => {
    const installedRecord = place("node_modules/.package-lock.json")
    if (!existsSync(installedRecord)) return false
    const locked = packagesOf(place("package-lock.json"))
    const installed = packagesOf(installedRecord)
    return Object.entries(locked).every(([name, entry]) =>
      installed[name] === undefined ? entry.optional === true : installed[name].version === entry.version
    ) && Object.keys(installed).every((name) => name in locked && existsSync(place(name)))
  }

  const install = async () => {
    const names = Object.entries(packagesOf(place("package-lock.json"))).filter(([, entry]) => fitsHost(entry))
      .map(([name]) => name)
    await step(`installing ${names.length} npm packages (${cost})`, async (progress) => {
      const timer = setInterval(
        () => progress(names.filter((name) => existsSync(place(name, "package.json"))).length / names.length),
        500
      )
      try {
        // No package's own scripts run: nothing here needs them (esbuild's only makes its command line start faster).
        await mustRun("npm ci", [...npm(), "ci", "--include=dev", "--ignore-scripts"], {
          cwd: place(),
          interrupt: "kill"
        })
      } finally {
        clearInterval(timer)
      }
    })
  }

  return { pending: async () => upToDate() ? undefined : install }
}

/** The packages of this project. */
export const nodeModules = lockedPackages({ folder: ".", cost: "about 170 MB, 40 s" })

/** The runtimes on which the tests run what is built, beside their own Node, and a TypeScript that reads its types. */
export const otherNodes = lockedPackages({ folder: "test/nodes", cost: "about 190 MB, 40 s" })

const fitsHost = ({ cpu = ["x64"], os = ["linux"], libc = ["glibc"] }) =>
  cpu.includes("x64") && os.includes("linux") && libc.includes("glibc")

/** The entries of a lock file by folder, the project's own left out. */
const packagesOf = (path) => {
  const { packages } = JSON.parse(readFileSync(path, "utf8"))
  delete packages[""]
  return packages
}

/** The npm that runs this script, if any, on its own Node: a second npm on PATH may belong to another. */
const npm = () => {
  const { npm_execpath: running, npm_node_execpath: node = process.execPath } = process.env
  return running !== undefined && basename(running) === "npm-cli.js" ? [node, running] : ["npm"]
}

/** The workspaces of the adapters with their frameworks, which only their own tests need. */
export const adapters = lockedPackages({ folder: "adapters", cost: "about 800 MB, 1 min" })
