import { Effect } from "effect"
import * as fs from "node:fs"
import { HostToolMissing, HostToolUnsuitable } from "../../../contract/errors/errors.ts"
import { fileIdentity } from "../../../system/files/host-path.ts"
import { runTool } from "../../../system/processes/child.ts"
import { findProgram } from "../../../system/processes/host.ts"
import { setting } from "../../../system/settings/config.ts"
import { HostFacts } from "../../HostFacts.ts"

/** Older ones lack what a restore needs (x-ignore-shared with microvm was measured on 7.2). */
const oldestQemu: readonly [number, number] = [7, 2]

const qemuVersion = (program: string) =>
  Effect.flatMap(HostFacts, (facts) =>
    facts.get(
      `qemu-version:${fileIdentity(program)}`,
      runTool(program, ["--version"]).pipe(
        Effect.map(({ stdout }) => /version (\d+\.\d+(?:\.\d+)?)/.exec(stdout.toString("utf8"))?.[1] ?? "unknown"),
        Effect.mapError((cause) =>
          new HostToolUnsuitable({ tool: program, found: cause.message, needed: "a QEMU that runs" })
        )
      )
    ))

/** Names one build of QEMU, also after it was installed once more: by version, size and the time that its package gave it. */
export const qemuBuild = (program: string) =>
  Effect.map(qemuVersion(program), (version) => {
    const { mtime, size } = fs.statSync(program)
    return `${version} (${size} bytes, ${mtime.toISOString()})`
  })

/** QEMU that pyro runs: `PYRO_QEMU`, or the first `qemu-system-x86_64` on PATH, when it is new enough. */
export const findQemu = Effect.gen(function*() {
  const program = (yield* setting("PYRO_QEMU")) ?? findProgram("qemu-system-x86_64")
  if (program === undefined || !fs.existsSync(program)) {
    return yield* new HostToolMissing({
      tool: "qemu-system-x86_64",
      package: "qemu-system-x86",
      detail: "it was not found on PATH"
    })
  }
  const version = yield* qemuVersion(program)
  const [major = 0, minor = 0] = version.split(".").map(Number)
  if (!(major > oldestQemu[0] || (major === oldestQemu[0] && minor >= oldestQemu[1]))) {
    return yield* new HostToolUnsuitable({ tool: "QEMU", found: version, needed: `${oldestQemu.join(".")} or newer` })
  }
  return program
})
