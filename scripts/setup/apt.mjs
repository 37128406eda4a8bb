import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import { lastLines, run } from "./child.mjs"
import { say, SetupFailed, step } from "./report.mjs"

const lockWaitSeconds = 300

/** Installs Debian packages as root or by passwordless sudo. Otherwise fails with the one command to type. */
export const install = async (packages) => {
  const prefix = await rootPrefix()
  if (prefix === undefined) throw new SetupFailed(instructions(packages))
  const apt = aptGet(prefix)
  // A machine that was never updated knows no packages at all.
  if (!await known(packages)) await update(apt)
  const size = await downloadSize(apt, packages)
  await step(
    `installing ${count(packages)} (${size}): ${packages.join(" ")}`,
    (progress) => installed(apt, packages, progress)
  )
}

/** Downloads the archives of Debian packages to a folder, and installs nothing. */
export const download = async (packages, folder) => {
  const get = () => run(["apt-get", "download", ...packages], { cwd: folder })
  if ((await get()).code === 0) return
  // Lists that are out of date name files that the mirror no longer has.
  const prefix = await rootPrefix()
  if (prefix !== undefined) await update(aptGet(prefix))
  const { code, output } = await get()
  if (code !== 0) throw new SetupFailed(`apt-get could not download ${packages.join(" ")}:\n${complaints(output)}`)
}

const installed = async (apt, packages, progress) => {
  const attempt = () =>
    apt(["install", "-y", "--no-install-recommends", ...packages], {
      onLine: (line) => {
        // dlstatus:1:33.3:Retrieving file 1 of 3, pmstatus:make:66.6:Unpacking make (amd64)
        const [kind, , percent, detail] = line.split(":")
        if (kind === "dlstatus") progress(Number(percent) / 200, detail)
        if (kind === "pmstatus") progress(0.5 + Number(percent) / 200, detail.replace(/ \(.*/, ""))
      }
    })
  let result = await attempt()
  if (result.code !== 0 && /dpkg --configure -a/.test(result.output)) {
    say("  an earlier installation was cut short; finishing it first")
    await apt(undefined, { program: ["dpkg", "--configure", "-a"] })
    result = await attempt()
  }
  if (result.code !== 0) {
    // Lists that are out of date name files that the mirror no longer has.
    await update(apt)
    result = await attempt()
  }
  if (result.code !== 0) {
    throw new SetupFailed(
      `apt-get could not install ${packages.join(" ")} (status ${result.code}):\n${complaints(result.output)}`
    )
  }
}

/** Refreshes the package lists. An unreachable source must not block the others. */
const update = (apt) =>
  step("updating apt's package lists (about 10 MB, 10 s)", async () => {
    const deadline = Date.now() + lockWaitSeconds * 1000
    for (;;) {
      const { code, output } = await apt(["update"])
      if (code === 0) return
      if (/Could not get lock/.test(output) && Date.now() < deadline) {
        await sleep(2000)
      } else {
        say(`  apt-get update reported:\n${complaints(output)}`)
        return
      }
    }
  })

const aptGet = (prefix) => (args, { onLine, program } = {}) =>
  run([
    ...prefix,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "LC_ALL=C",
    ...(program ?? [
      "apt-get",
      "-o",
      `DPkg::Lock::Timeout=${lockWaitSeconds}`,
      ...(onLine === undefined ? [] : ["-o", "APT::Status-Fd=1"]),
      ...args
    ])
  ], { interrupt: "leader", ...(onLine === undefined ? {} : { onLine }) })

const known = async (packages) => {
  const { output } = await run(["apt-cache", "policy", ...packages])
  return output.match(/^ {2}Candidate: (?!\(none\))/gm)?.length === packages.length
}

/** "58 MB to download, 240 MB on disk" from apt, with a time at 5 MB/s and a third of that for unpacking. */
const downloadSize = async (apt, packages) => {
  const { output } = await apt(["install", "--no-install-recommends", "--assume-no", ...packages])
  const archives = /Need to get ([\d.,]+) (k?B|MB|GB)/.exec(output)
  const space = /([\d.,]+ (?:k?B|MB|GB)) of additional disk space/.exec(output)
  if (archives === null) return "a minute or two"
  const megabytes = Number(archives[1].replaceAll(",", "")) * ({ B: 1e-6, kB: 1e-3, MB: 1, GB: 1e3 }[archives[2]] ?? 1)
  const minutes = Math.ceil((10 + megabytes * 0.6) / 60)
  return `${archives[1]} ${archives[2]} to download${
    space === null ? "" : `, ${space[1]} on disk`
  }, about ${minutes} min`
}

const rootPrefix = async () => {
  if (process.getuid() === 0) return []
  return (await run(["sudo", "-n", "true"])).code === 0 ? ["sudo", "-n"] : undefined
}

const instructions = (packages) =>
  `${count(packages)} missing, and this user may not install them (no root, no passwordless sudo).\n` +
  "Type this one command, then the same again:\n\n" +
  `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(" ")}\n`

const count = (packages) => `${packages.length} system package${packages.length === 1 ? "" : "s"}`

/** Errors and warnings of apt and dpkg, or the end of the output without any. */
const complaints = (output) => {
  const lines = output.split("\n").filter((line) => !/^(dl|pm)status:/.test(line))
  const marked = lines.filter((line) => /^([EW]|dpkg|Err:\d+|pmerror):? /.test(line))
  return lastLines((marked.length > 0 ? marked : lines).join("\n"))
}
