import { Effect, Stream } from "effect"
import type { DoctorLine, DoctorPayload } from "../../contract/rows/host.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import { Environments } from "../../environment/Environments.ts"
import { Kernel } from "../../environment/Kernel.ts"
import type { Paths } from "../../system/files/Paths.ts"
import { probeConfinement } from "../../vm/confinement.ts"
import type { HostFacts } from "../../vm/HostFacts.ts"
import { Vmm } from "../../vm/Vmm.ts"
import { diskMib } from "../run.ts"
import { cpu, logout, memory, programs, sharing, storage, userNamespaces, workspaces } from "./host.ts"
import { fine, improvable, inOrder, lineEvent, wrong } from "./line.ts"
import { selftest } from "./selftest.ts"

export const qemu = Effect.flatMap(Vmm, ({ program }) => program).pipe(
  Effect.map((program) => fine("qemu", program)),
  Effect.catch((failure) => Effect.succeed(wrong("qemu", failure.message, "sudo apt-get install qemu-system-x86")))
)

export const confinement = Effect.map(probeConfinement, ({ level, reason }): DoctorLine =>
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

/** The accelerator of guests, and the reason. The trial of KVM needs a kernel and an environment. */
export const accelerator = Effect.gen(function*() {
  const environments = yield* Environments
  const ready = (yield* environments.list).find(({ environment }) => environment !== undefined)?.environment
  if (ready === undefined) {
    return [improvable("accelerator", "not tried: no environment is on this host yet", "pyro env pull debian:12")]
  }
  const kernel = yield* (yield* Kernel).ensure
  const placeholder = yield* (yield* SeedImages).empty(diskMib)
  const { accelerator, reason } = yield* (yield* Vmm).accelerator({ environment: ready, kernel }, placeholder)
  return [
    fine("kernel", `${kernel.version} for guests`),
    accelerator === "kvm"
      ? fine("accelerator", `KVM: ${reason}`)
      : improvable(
        "accelerator",
        `TCG, 6 to 15 times slower than KVM: ${reason}`,
        remedyOf(reason)
      )
  ]
}).pipe(
  Effect.catch((failure) => Effect.succeed([wrong("accelerator", failure.message, "see docs/troubleshooting.md")]))
)

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
    logout,
    workspaces
  ).pipe(Stream.map(lineEvent))
  return wanted ? Stream.concat(host, selftest) : host
}
