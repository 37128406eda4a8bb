import { Effect, Stream } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { DoctorLine, DoctorPayload } from "../../../contract/rows/host.ts"
import { typedMessage } from "../../../contract/rows/next-steps.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { Environments } from "../../../lib/environment/Environments.ts"
import { Kernel } from "../../../lib/environment/Kernel.ts"
import { probeConfinement } from "../../../lib/vm/model/confinement.ts"
import type { HostFacts } from "../../../lib/vm/model/HostFacts.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { findProgram } from "../../../system/processes/host.ts"
import { setting } from "../../../system/settings/config.ts"
import { driverOf } from "../../../workspace/life/guest/driver.ts"
import { diskMib } from "../run.ts"
import { cpu, logout, memory, programs, sharing, storage, userNamespaces, workspaces } from "./host.ts"
import { fine, improvable, inOrder, lineEvent, wrong } from "./line.ts"
import { selftest } from "./selftest.ts"

const qemu = Effect.flatMap(Vmm, ({ program }) => program).pipe(
  Effect.map((program) => fine("qemu", program)),
  Effect.catch((failure) =>
    Effect.succeed(wrong("qemu", typedMessage(failure), "sudo apt-get install qemu-system-x86"))
  )
)

const confinement = Effect.map(probeConfinement, ({ level, reason }): DoctorLine =>
  level === "seccomp"
    ? improvable(
      "confinement",
      `seccomp alone; ${reason}`,
      "sudo apt-get install bubblewrap, and allow user namespaces"
    )
    : fine("confinement", `seccomp + ${level.replace("+", " + ")}${reason === "" ? "" : ` (${reason})`}`))

/** The command that gives guests KVM, by the reason why they lack it. */
const remedyOf = (reason: string) => {
  if (reason.includes("this user may not open")) return "sudo usermod -aG kvm \"$USER\" and log in anew"
  const [, command] = /To allow it: (.+)$/.exec(reason) ?? []
  return command ?? "run on a host with a KVM that works; all works without"
}

/** Parts for a trial of KVM: a kernel, an environment and a disk. Undefined without an environment on this host. */
const trial = Effect.gen(function*() {
  const environments = yield* Environments
  const environment = (yield* environments.list).find(({ environment }) => environment !== undefined)?.environment
  if (environment === undefined) return undefined
  const kernel = yield* (yield* Kernel).ensure
  return { images: { environment, kernel }, placeholder: yield* (yield* SeedImages).empty(diskMib) }
})

/** The accelerator of guests, and the reason. */
const accelerator = Effect.gen(function*() {
  const tried = yield* trial
  if (tried === undefined) {
    return [improvable("accelerator", "not tried: no environment is on this host yet", "pyro env pull debian:12")]
  }
  const { images, placeholder } = tried
  const { accelerator, reason } = yield* (yield* Vmm).accelerator(images, placeholder)
  return [
    fine("kernel", `${images.kernel.version} for guests`),
    accelerator === "kvm"
      ? fine("accelerator", `KVM: ${reason}`)
      : improvable(
        "accelerator",
        `TCG, 6 to 15 times slower than KVM: ${reason}`,
        remedyOf(reason)
      )
  ]
}).pipe(
  Effect.catch((failure) =>
    Effect.succeed([wrong("accelerator", typedMessage(failure), "see docs/troubleshooting.md")])
  )
)

/** pyro needs no Firecracker, unless `PYRO_DRIVER` says so: a host without one lacks nothing. */
export const firecracker = Effect.gen(function*() {
  const driver = (yield* Vmm).on("firecracker")
  const isDefault = yield* isFirecrackerDefault
  if (!isDefault && (yield* setting("PYRO_FIRECRACKER")) === undefined && findProgram("firecracker") === undefined) {
    return fine("firecracker", "none; optional, for forks that share memory: docs/firecracker.md")
  }
  const program = yield* driver.program
  const tried = yield* trial
  if (tried === undefined) return fine("firecracker", `${program}, not tried: no environment is on this host yet`)
  yield* driver.accelerator(tried.images, tried.placeholder)
  return fine(
    "firecracker",
    `${program}: a guest kernel booted on KVM; ${
      isDefault ? "PYRO_DRIVER says so" : "use it with --driver firecracker"
    }`
  )
}).pipe(Effect.catch((failure) => Effect.map(isFirecrackerDefault, firecrackerFault(failure))))

/** A wrong value of the variable is reported with the first microVM. */
const isFirecrackerDefault = driverOf({}).pipe(
  Effect.map((driver) => driver === "firecracker"),
  Effect.orElseSucceed(() => false)
)

const firecrackerFault = (failure: PyroError) => (isDefault: boolean): DoctorLine => {
  const found = failure._tag === "DriverUnavailable" ? failure.detail : typedMessage(failure)
  return isDefault
    ? wrong(
      "firecracker",
      found,
      "a Firecracker that runs (docs/install.md), or QEMU: unset PYRO_DRIVER; pyro daemon stop"
    )
    : improvable("firecracker", found, "a Firecracker that runs (docs/install.md); all works on QEMU without")
}

/** Services of the checks. */
type DoctorNeeds = Environments | HostFacts | Kernel | Paths | SeedImages | Vmm

/** One line for each check of the host as it ends, then the lines of the self-test if it is asked for. */
export const doctor = ({ selftest: wanted }: DoctorPayload) => {
  const host = inOrder<never, DoctorNeeds>(
    Effect.succeed(cpu),
    memory,
    storage,
    sharing,
    programs,
    userNamespaces,
    qemu,
    confinement,
    accelerator,
    firecracker,
    logout,
    workspaces
  ).pipe(Stream.map(lineEvent))
  return wanted ? Stream.concat(host, selftest) : host
}
