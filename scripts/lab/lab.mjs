import { mkdirSync } from "node:fs"
import { basename, join } from "node:path"
import process from "node:process"
import { allChecks } from "../../test/lab/checks/all.mjs"
import { putFirecracker } from "../../test/lab/checks/firecracker.mjs"
import { leftOut } from "../../test/lab/checks/left-out.mjs"
import { SERVER } from "../../test/lab/checks/network.mjs"
import { install } from "../../test/lab/checks/package.mjs"
import { filesOf, suites } from "../../test/lab/checks/suites.mjs"
import { bundleBench } from "../bench/bundle.mjs"
import { setUp } from "../setup.mjs"
import { lastLines, mustRun } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { duration, say } from "../setup/report.mjs"
import { inWorkFolder } from "./cache.mjs"
import { firecracker } from "./firecracker.mjs"
import { identityOf } from "./identity.mjs"
import { machineImage } from "./machine-image.mjs"
import { inMachine } from "./machine.mjs"
import { readOptions } from "./options.mjs"
import { npmPackage } from "./package.mjs"
import { projectDisk } from "./project-disk.mjs"

const environment = "debian:12"

/**
 * `npm run lab`: pyro in an outer Debian machine with a working KVM, used by an ordinary user who logs in, and then without KVM.
 * The last line is `N passed, N failed`.
 */
export const lab = async () => {
  const options = readOptions(process.argv.slice(2))
  await setUp(options.suites ? "labSuites" : "lab")
  const images = []
  for (const release of options.releases) images.push({ release, image: await machineImage(release) })
  return inWorkFolder(async (work) => {
    const disk = join(work, "project.ext4")
    const allOfIt = !options.short && !options.suites && options.command === undefined
    const archive = await npmPackage(work, { library: allOfIt })
    const environments = [environment, ...options.environments]
    await projectDisk(disk, { archive, environments, programs: await programsFor(options, work), full: !options.short })
    const omitted = options.suites ? leftOut(root, options.driver, filesOf(options)) : []
    const rows = []
    for (const { image, release } of images) {
      const folder = join(work, release.version)
      mkdirSync(folder)
      if (options.command === undefined) rows.push(...await checked({ release, folder, image, disk, options }))
      else return inMachine({ folder, image, projectDisk: disk }, (machine) => single(machine, options))
    }
    return report(rows, omitted)
  })
}

/** Programs that the machine has no package of. */
const programsFor = async ({ command, driver, environments, figures, short }, work) => ({
  ...(driver === "firecracker" || (short && command === undefined)) && { firecracker: await firecracker() },
  ...environments.some((name) => name.endsWith("-docker")) &&
    { net: await imageProgram(work, "musl-gcc", "docker/net") },
  ...environments.length > 0 && { probe: await imageProgram(work, "gcc", "image/probe") },
  ...figures && { "drivers.mjs": await bundleBench("drivers/main.ts", { alone: true }) }
})

/** A program in the images that tests make: the machine has no compiler. */
const imageProgram = async (work, compiler, name) => {
  const program = join(work, basename(name))
  await mustRun(compiler, [compiler, "-static", "-O2", "-o", program, inRoot(`test/fixtures/${name}.c`)])
  return program
}

/** Runs the checks in one release's machine. A failure of the machine ends its release, and counts as a failed check. */
const checked = async ({ disk, folder, image, options, release }) => {
  const rows = []
  const add = (row) => {
    rows.push({ release: `Debian ${release.version}`, accelerator: "-", user: "-", ...row })
    say(line(rows.at(-1)))
    if (row.detail !== undefined) say(lastLines(row.detail, 40))
  }
  const identity = await identityOf(SERVER)
  const bootAt = Date.now()
  try {
    await inMachine({ folder, image, projectDisk: disk }, async (machine) => {
      add({ what: `the machine boots, Node ${machine.node}`, ms: Date.now() - bootAt, cpuMs: machine.cpuMs() })
      const checks = options.suites ? suites(options) : allChecks({ environment, identity, ...options })
      for (const { check, seconds, ...row } of checks) {
        const startedAt = Date.now()
        const cpuBeforeMs = machine.cpuMs()
        const detail = await check((script) =>
          machine.perform({ user: row.user === "-" ? "root" : row.user, script, seconds })
        )
        add({ ...row, detail, ms: Date.now() - startedAt, cpuMs: machine.cpuMs() - cpuBeforeMs })
      }
    })
  } catch (failure) {
    add({ what: "the machine keeps running", detail: failure.message, ms: Date.now() - bootAt, cpuMs: 0 })
  }
  return rows
}

const single = async ({ perform }, { command, driver, root }) => {
  await perform({ user: "root", script: "usermod -aG kvm dev", seconds: 60 })
  await perform({ user: "dev", script: install, seconds: 600 })
  if (driver === "firecracker") await perform({ user: "dev", script: putFirecracker, seconds: 60 })
  const onOutput = (stream, bytes) => process[stream].write(bytes)
  const script = `export PYRO_DRIVER=${driver}\n${command}`
  const { status } = await perform({ user: root ? "root" : "dev", script, seconds: 3600, onOutput })
  return status
}

const line = ({ accelerator, cpuMs, detail, ms, release, user, what }) =>
  `${release}  ${accelerator.padEnd(3)}  ${user.padEnd(4)}  ${what.padEnd(62)}  ${
    detail === undefined ? "ok    " : "FAILED"
  }` +
  `  ${duration(ms).padStart(6)}  ${duration(cpuMs).padStart(6)} CPU`

const report = (rows, omitted) => {
  process.stdout.write(`\n${rows.map((row) => `${line(row)}\n`).join("")}`)
  if (omitted.length > 0) process.stdout.write(`\nleft out:\n${omitted.map((one) => `  ${one}\n`).join("")}`)
  const failed = rows.filter(({ detail }) => detail !== undefined).length
  process.stdout.write(`\n${rows.length - failed} passed, ${failed} failed\n`)
  return failed > 0 ? 1 : 0
}
