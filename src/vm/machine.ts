import { Schema } from "effect"
import { tscStep } from "./driver/qemu/cpu.ts"

/** What a captured VM goes on with: on a host where one of these differs its memory and device state are of no use. */
export const MachineIdentity = Schema.Struct({
  accelerator: Schema.String,
  /** Build of the VMM. */
  vmm: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("qemu")),
  /** Under KVM the guest has seen the host's CPU; under TCG QEMU's, which is everywhere the same. */
  cpu: Schema.String,
  tscKhz: Schema.Number,
  kernel: Schema.String,
  environment: Schema.String,
  /** Hash of QEMU's arguments: devices, their order, sizes, the kernel's command line. */
  machine: Schema.String
})
export type MachineIdentity = typeof MachineIdentity.Type

const words: Readonly<Record<keyof MachineIdentity, string>> = {
  accelerator: "accelerator",
  vmm: "QEMU",
  cpu: "the host's CPU or its microcode",
  tscKhz: "the frequency of the host's time stamp counter (kHz)",
  kernel: "guest kernel",
  environment: "environment",
  machine: "the machine that pyro describes to QEMU"
}

const same = (key: keyof MachineIdentity, one: MachineIdentity, other: MachineIdentity) =>
  key === "tscKhz" ? Math.abs(one.tscKhz / other.tscKhz - 1) <= tscStep : one[key] === other[key]

/** What differs, in words: as it was, and as it is. */
export const differencesOf = (captured: MachineIdentity, here: MachineIdentity): ReadonlyArray<string> =>
  (Object.keys(words) as ReadonlyArray<keyof MachineIdentity>)
    .filter((key) => !same(key, captured, here))
    .map((key) => `${words[key]} was ${captured[key]} and is ${here[key]}`)
