import { Effect } from "effect"
import * as fs from "node:fs"
import { DriverUnavailable } from "../../../../contract/errors/errors.ts"
import { call, type NextStep, option, words } from "../../../../contract/errors/next-step.ts"
import { fileIdentity } from "../../../../system/files/host-path.ts"
import { runTool } from "../../../../system/processes/child.ts"
import { findProgram, isExecutable } from "../../../../system/processes/host.ts"
import { setting } from "../../../../system/settings/config.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { HostFacts } from "../../model/HostFacts.ts"

/** Versions that pyro runs: from the first that was tried, up to the next change of the API. */
const oldest: readonly [number, number] = [1, 12]
/** A daemon that runs has the PATH and the variables of its start. */
const REMEDY = [
  words("Install a release, 1.12 or newer and older than 2, or name one by PYRO_FIRECRACKER", "docs/install.md"),
  call("Then end the daemon, which starts again with the new variables", "daemon.stop"),
  option("Or use QEMU, for a new workspace", "driver", "qemu")
]

const versionTimeoutMs = 10_000 * deadlineScale

const wrongMemory =
  "a capture of more than 3 GiB of memory has the wrong pages (Firecracker #5705). Take 1.14.2 or newer"
const deafAgent =
  "a guest that was paused takes no new connection (Firecracker #5958, #6100). Take 1.15, or 1.16.2 or newer"

/** Versions with a defect that costs a workspace its memory or its agent. */
const defects: ReadonlyMap<string, string> = new Map([
  ["1.14.0", wrongMemory],
  ["1.14.1", wrongMemory],
  ["1.16.0", deafAgent],
  ["1.16.1", deafAgent]
])

/** Refuses Firecracker on this host. */
export const unavailable = (detail: string, next?: ReadonlyArray<NextStep>) =>
  new DriverUnavailable({ driver: "Firecracker", detail, ...(next === undefined ? {} : { next }) })

const versionOf = (program: string) =>
  Effect.flatMap(HostFacts, (facts) =>
    facts.get(
      `firecracker-version:${fileIdentity(program)}`,
      runTool(program, ["--version"]).pipe(
        Effect.timeoutOrElse({
          duration: versionTimeoutMs,
          orElse: () => unavailable(`${program} does not answer \`--version\` within ${versionTimeoutMs} ms`, REMEDY)
        }),
        Effect.catchTag(
          "ToolFailed",
          ({ message }) => unavailable(`${program} does not tell its version (${message})`, REMEDY)
        ),
        Effect.flatMap(({ stdout }) => {
          const version = /Firecracker v(\d+\.\d+\.\d+)/.exec(stdout.toString("utf8"))?.[1]
          return version === undefined
            ? unavailable(`${program} is no Firecracker: it tells no version`, REMEDY)
            : Effect.succeed(version)
        })
      )
    ))

const isSupported = (version: string) => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major === oldest[0] && minor >= oldest[1]
}

/** Finds Firecracker: `PYRO_FIRECRACKER`, or the first `firecracker` on PATH. Fails if pyro does not run its version. */
export const findFirecracker = Effect.gen(function*() {
  const program = (yield* setting("PYRO_FIRECRACKER")) ?? findProgram("firecracker")
  if (program === undefined) {
    return yield* unavailable(`there is no \`firecracker\` on PATH`, REMEDY)
  }
  if (!fs.existsSync(program)) return yield* unavailable(`${program} does not exist`, REMEDY)
  if (!isExecutable(program)) return yield* unavailable(`${program} is no program that this user may run`, REMEDY)
  const version = yield* versionOf(program)
  if (!isSupported(version)) {
    return yield* unavailable(`${program} has version ${version}, which pyro was not made for`, REMEDY)
  }
  const defect = defects.get(version)
  if (defect !== undefined) {
    return yield* unavailable(`${program} has version ${version}, in which ${defect}`, REMEDY)
  }
  return { program, version }
})

/** Names one build of Firecracker: its versions read each other's states, but Firecracker's authors do not promise it for other builds. */
export const firecrackerBuild = ({ program, version }: { readonly program: string; readonly version: string }) => {
  const { mtime, size } = fs.statSync(program)
  return `Firecracker ${version} (${size} bytes, ${mtime.toISOString()})`
}
