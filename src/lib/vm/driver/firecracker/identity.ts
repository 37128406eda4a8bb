import type { MachineIdentity, MachineSpec } from "../../model/machine.ts"
import { digestOf, hostCpu } from "../host-cpu.ts"
import { identityOf, keyOf, type TemplateDisk } from "../identity.ts"
import { machineOf } from "./machine.ts"

export const machineIdentity = (spec: MachineSpec, build: string): MachineIdentity =>
  identityOf(spec, { vmm: build, cpu: digestOf(hostCpu()), machine: machineOf(spec) })

/** Increased when the steps before a guest's freeze change. */
const templateFormat = 2

/** Key of a template. */
export const templateKey = (spec: MachineSpec, program: string, disk: TemplateDisk): string =>
  keyOf(["firecracker", templateFormat, machineOf(spec), hostCpu()], spec, program, disk)
