import { Effect } from "effect"
import * as fs from "node:fs"
import type { HostToolMissing, InvalidConfiguration, VmFailed } from "../../../contract/errors/errors.ts"
import { runTool } from "../../../system/processes/child.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import { setting } from "../../../system/settings/config.ts"
import { vmFailed } from "../model/failure.ts"
import type { AcceleratorChoice } from "../model/guest.ts"
import { HostFacts } from "../model/HostFacts.ts"
import type { MachineSpec } from "../model/machine.ts"
import { KVM, kvmPermissions, MAY_NOT_OPEN } from "./confine.ts"

/** What executes a guest's code. `tcg` is a translator in software, which works on every host and is 6 to 15 times slower. */
export type Accelerator = "kvm" | "tcg"

/** Chooses the value of the accelerator that a machine has. */
export const ofAccelerator = <A>({ accelerator }: MachineSpec, values: Readonly<Record<Accelerator, A>>): A =>
  values[accelerator === "kvm" ? "kvm" : "tcg"]

/** Frequency of the host's time stamp counter in kHz, measured once per boot of the host. */
export const tscKhz: Effect.Effect<number, HostToolMissing | VmFailed, HostFacts> = Effect.gen(function*() {
  const facts = yield* HostFacts
  const found = yield* facts.get(
    "tsc-khz",
    Effect.gen(function*() {
      const tool = yield* nativeTool("pyro-tsc")
      const { stdout } = yield* runTool(tool, []).pipe(
        Effect.mapError((cause) => cause._tag === "ToolFailed" ? vmFailed("tsc", cause.message) : cause)
      )
      return stdout.toString("utf8").trim()
    })
  )
  return Number(found)
})

/** Why KVM cannot work. Undefined if it must be probed. */
export const kvmRefusal = (): string | undefined => {
  try {
    fs.closeSync(fs.openSync("/dev/kvm", "r+"))
    return undefined
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === "ENOENT") return "this host has no /dev/kvm"
    if (code === "EACCES" || code === "EPERM") {
      return "this user may not open /dev/kvm; join its group with: sudo usermod -aG kvm \"$USER\", then log in anew"
    }
    return `/dev/kvm cannot be opened (${code})`
  }
}

/**
 * Chooses KVM if a guest kernel boots on it, else TCG. A device that opens is no proof: stock kernels hang on some hosts' KVM. `probe`
 * boots one, and its result is kept for this kernel, this QEMU and this boot of the host. `PYRO_ACCELERATOR=tcg|kvm` overrides.
 */
export const chooseAccelerator = <E, R>(
  key: string,
  probe: Effect.Effect<void, E, R>,
  describe: (failure: E) => string
): Effect.Effect<AcceleratorChoice, InvalidConfiguration, R | HostFacts> =>
  Effect.gen(function*() {
    const forced = yield* setting("PYRO_ACCELERATOR")
    if (forced !== undefined) return { accelerator: forced, reason: "PYRO_ACCELERATOR says so" }
    const refusal = kvmRefusal()
    if (refusal !== undefined) return { accelerator: "tcg", reason: refusal }
    const facts = yield* HostFacts
    const answer = yield* facts.get(
      `kvm:${key}:${kvmPermissions()}`,
      probe.pipe(
        Effect.as("boots"),
        Effect.catch((failure) => Effect.succeed(`no: ${describe(failure)}`))
      )
    )
    if (answer === "boots") return { accelerator: "kvm", reason: "a guest kernel booted on it" }
    const why = answer.slice("no: ".length)
    return why.startsWith(MAY_NOT_OPEN)
      ? { accelerator: "tcg", reason: `${why}. To allow it: sudo chmod 666 ${KVM}` }
      : { accelerator: "tcg", reason: `/dev/kvm opens, but a guest kernel does not boot on it (${why})` }
  })
