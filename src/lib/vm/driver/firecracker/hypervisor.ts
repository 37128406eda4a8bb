import { Effect } from "effect"
import type { Seed } from "../../../disk/workspace-disk.ts"
import { probeConfinement } from "../../model/confinement.ts"
import type { GuestImages, OnSlowStep } from "../../model/guest.ts"
import { tscKhz } from "../accelerator.ts"
import type { Firecracker } from "./acquire-vm.ts"
import { demandKvm } from "./kvm.ts"
import { findFirecracker, firecrackerBuild } from "./program.ts"

export interface Hypervisor extends Firecracker {
  readonly tscKhz: number
}

/** The program and the features of this host, once a guest kernel has booted on its KVM. */
export const findHypervisor = (images: GuestImages, placeholder: Seed, onSlowStep?: OnSlowStep) =>
  Effect.gen(function*() {
    const found = yield* findFirecracker
    const host: Firecracker = {
      program: found.program,
      build: firecrackerBuild(found),
      confinement: yield* probeConfinement
    }
    const khz = yield* tscKhz
    yield* demandKvm({ host, images, seed: placeholder, tscKhz: khz }, onSlowStep)
    return { ...host, tscKhz: khz } satisfies Hypervisor
    // Interruptible also in an uninterruptible caller: a race ends a probe that hangs.
  }).pipe(Effect.interruptible)
