import { SetupFailed } from "../setup/report.mjs"
import { releases } from "./releases.mjs"

const usage =
  "npm run lab -- [--release 12|13] [--driver qemu|firecracker] [--short | --suites | --figures] [--environment NAME]… [--command COMMAND [--root]]"

const drivers = ["qemu", "firecracker"]

/** Measures both drivers with the installed package. */
const figures = "node ~/.lab/drivers.mjs ~/.local/lib/node_modules/pyro/dist/pyro.js"

/**
 * Reads the lab's command line. `releases` are the machines to run, `driver` runs the VMs of the checks, `short` omits long checks,
 * `suites` runs the driver's suites instead of the checks, `figures` measures both drivers in one run, `environments` are further ones of pyro's cache that
 * the machine has, and `command` runs one command in the machine, as the ordinary user or as root.
 */
export const readOptions = (argv) => {
  const options = {
    releases: [],
    driver: "qemu",
    short: false,
    suites: false,
    figures: false,
    environments: [],
    command: undefined,
    root: false
  }
  const rest = [...argv]
  const value = (flag) => {
    const found = rest.shift()
    if (found === undefined) throw new SetupFailed(`${flag} needs a value; ${usage}`, 2)
    return found
  }
  while (rest.length > 0) {
    const [flag, inline] = splitOnce(rest.shift())
    if (inline !== undefined) rest.unshift(inline)
    if (flag === "--short" && inline === undefined) options.short = true
    else if (flag === "--suites" && inline === undefined) options.suites = true
    else if (flag === "--figures" && inline === undefined) options.figures = true
    else if (flag === "--root" && inline === undefined) options.root = true
    else if (flag === "--command") options.command = value(flag)
    else if (flag === "--environment") options.environments.push(value(flag))
    else if (flag === "--driver") options.driver = knownDriver(value(flag))
    else if (flag === "--release") options.releases.push(known(value(flag)))
    else throw new SetupFailed(`the lab does not know ${flag}; ${usage}`, 2)
  }
  if (options.figures) Object.assign(options, { command: options.command ?? figures, driver: "firecracker" })
  if (options.releases.length === 0) options.releases = options.short ? [known("12")] : releases
  return options
}

const splitOnce = (argument) => {
  const at = argument.indexOf("=")
  return at < 0 || !argument.startsWith("--") ? [argument] : [argument.slice(0, at), argument.slice(at + 1)]
}

const knownDriver = (driver) => {
  if (drivers.includes(driver)) return driver
  throw new SetupFailed(`the lab has no driver ${driver}; there are ${drivers.join(" and ")}`, 2)
}

const known = (version) => {
  const release = releases.find((one) => one.version === version)
  if (release !== undefined) return release
  throw new SetupFailed(
    `the lab has no Debian ${version}; there are ${releases.map((one) => one.version).join(" and ")}`,
    2
  )
}
