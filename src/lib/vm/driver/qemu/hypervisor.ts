import { Effect } from "effect"
import * as fs from "node:fs"
import { HostToolMissing, HostToolUnsuitable } from "../../../../contract/errors/errors.ts"
import { fileIdentity } from "../../../../system/files/host-path.ts"
import { runTool } from "../../../../system/processes/child.ts"
import { findProgram } from "../../../../system/processes/host.ts"
import { setting } from "../../../../system/settings/config.ts"
import type { Seed } from "../../../disk/workspace-disk.ts"
import { type Confinement, probeConfinement } from "../../model/confinement.ts"
import type { AcceleratorChoice, GuestImages, OnSlowStep } from "../../model/guest.ts"
import { HostFacts } from "../../model/HostFacts.ts"
import { chooseAccelerator, tscKhz } from "../accelerator.ts"
import { probeKvm } from "./freeze.ts"

/** Minimum version: older ones lack features of a restore (x-ignore-shared with microvm was measured on 7.2). */
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

/** Names one build of QEMU, also after a reinstallation: by version, size and the time from its package. */
const qemuBuild = (program: string) =>
  Effect.map(qemuVersion(program), (version) => {
    const { mtime, size } = fs.statSync(program)
    return `${version} (${size} bytes, ${mtime.toISOString()})`
  })

/** Finds QEMU: `PYRO_QEMU`, or the first `qemu-system-x86_64` on PATH. Fails if it is too old. */
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

/** The programs and features of this host for guests. */
export interface Hypervisor {
  readonly qemuProgram: string
  readonly qemuBuild: string
  readonly accelerator: AcceleratorChoice
  readonly confinement: Confinement
  readonly tscKhz: number
}

/** Memory of the guest that probes KVM, in MiB. */
const probeMemoryMib = 256

/** Reported for the first VM: a probe on a KVM that hangs ends at a deadline (`bootTimeoutMs`). */
const TRYING_KVM = "trying KVM (once; if a guest kernel does not boot on it, guests run without KVM, more slowly)"

/** Finds QEMU and its features on this host. Probes KVM with a boot of a kernel if the result is not known yet. */
export const findHypervisor = (images: GuestImages, placeholder: Seed, onSlowStep?: OnSlowStep) =>
  Effect.gen(function*() {
    const qemuProgram = yield* findQemu
    const [khz, confinement, build] = yield* Effect.all([tscKhz, probeConfinement, qemuBuild(qemuProgram)], {
      concurrency: 3
    })
    const accelerator = yield* chooseAccelerator(
      `${images.kernel.digest}:${fileIdentity(qemuProgram)}`,
      Effect.andThen(
        onSlowStep?.(TRYING_KVM) ?? Effect.void,
        probeKvm({
          spec: {
            accelerator: "kvm",
            vcpuCount: 1,
            memoryMib: probeMemoryMib,
            tscKhz: khz,
            environment: images.environment,
            kernel: images.kernel
          },
          qemuProgram,
          qemuBuild: build,
          confinement,
          seed: placeholder
        })
      ),
      (failure) => "detail" in failure ? failure.detail : failure.message
    )
    return { qemuProgram, qemuBuild: build, accelerator, confinement, tscKhz: khz }
    // Interruptible also in an uninterruptible caller: a race ends a probe that hangs.
  }).pipe(Effect.interruptible)
