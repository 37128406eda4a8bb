import { Effect, Stream } from "effect"
import type { DoctorPayload } from "../../contract/rows/host.ts"
import { cpu, logout, memory, programs, storage, userNamespaces } from "./host.ts"
import { accelerator, confinement, type DoctorNeeds, qemu } from "./hypervisor.ts"
import { inOrder, lineEvent } from "./line.ts"
import { selftest } from "./selftest.ts"
import { sharing } from "./sharing.ts"
import { workspaces } from "./workspaces.ts"

/** What was found on this host, a line each as it is found; then the self-test's lines when it is asked for. */
export const doctor = ({ selftest: wanted }: DoctorPayload) => {
  const host = inOrder<never, DoctorNeeds>(
    Effect.succeed([cpu]),
    Effect.map(memory, (line) => [line]),
    storage,
    sharing,
    Effect.map(programs, (line) => [line]),
    Effect.map(userNamespaces, (line) => [line]),
    Effect.map(qemu, (line) => [line]),
    Effect.map(confinement, (line) => [line]),
    accelerator,
    Effect.map(logout, (line) => [line]),
    workspaces
  ).pipe(Stream.map(lineEvent))
  return wanted ? Stream.concat(host, selftest) : host
}
