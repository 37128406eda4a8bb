import type { MachineSpec } from "../../model/machine.ts"
import { processName } from "../../model/record.ts"
import { kernelArguments } from "../kernel-arguments.ts"
import { sharedMemoryAt } from "../memory.ts"

/** Guest kernel's command line. `reboot=t` turns a panic into a reset, which QEMU reports. */
export const kernelCommandLine = (spec: MachineSpec): string => kernelArguments(spec, ["reboot=t"])

/**
 * CPU model. Under TCG without AVX, ERMS and FSRM, which QEMU emulates slowly (bulk output is twice as fast without), and with RDRAND,
 * because otherwise the first program that reads entropy waits a second. Also without PKU, which discards QEMU's translated addresses at
 * every switch between programs, XSAVE, which saves registers slowly, and SMAP, which makes QEMU translate the kernel's accesses twice: an
 * exec is some 5 % faster without the three.
 */
const cpuModel = (spec: MachineSpec) =>
  spec.accelerator === "kvm"
    ? "host,migratable=off"
    : `max,${tcgWithout.map((feature) => `-${feature}`).join(",")}`

const tcgWithout = ["avx", "avx2", "fma", "f16c", "erms", "fsrm", "la57", "smap", "xsave", "pku", "pks"]

/** Names inside a VM's folder, which is QEMU's working directory: short for any path of the state directory. */
export const names = {
  /** Folder that this VM's QEMU may write. */
  run: "run",
  /** Folder of images that QEMU may only read. */
  images: "in",
  qmpSocket: "run/q",
  portSocket: "run/p",
  /** Disk for the guest's result. */
  result: "run/result",
  migrationSocket: "run/m",
  memory: "mem",
  environment: "env.erofs",
  vmlinux: "vmlinux",
  initrd: "initrd"
} as const

/** Disk images of one VM, named relative to its folder. */
export interface Disks {
  /** Overlays of the workspace disk (qcow2) from the oldest to the one that is written. At least one. */
  readonly overlays: readonly [string, ...ReadonlyArray<string>]
  /** Seed image (raw ext4) below the overlays; also the baseline. */
  readonly seed: string
}

const json = (value: unknown) => JSON.stringify(value)

/** Nodes of a read-only raw image: the file `NAMEf`, and `NAME` above it. */
export const seedNode = (filename: string, name: string) =>
  [
    { driver: "file", "node-name": `${name}f`, filename, "read-only": true, locking: "off" },
    { driver: "raw", "node-name": name, file: `${name}f`, "read-only": true }
  ] as const

/**
 * Node of one overlay. `backing` always names the node below, and the file's own header never does: a missing base would read as zeros
 * without an error, and a header may name another user's file. A `frozen` overlay is not written.
 */
export const overlayNode = (filename: string, name: string, backing: string | null, frozen = false) => {
  const access = frozen ? { "read-only": true } : { discard: "unmap" }
  return {
    driver: "qcow2",
    "node-name": name,
    ...access,
    file: { driver: "file", filename, locking: "off", ...access },
    backing
  }
}

/** The disk for the result. The host writes its file to the host's disk after the VM's end, so the guest's flushes do nothing. */
const resultDisk = (mib: number) => {
  const file = { driver: "file", filename: names.result, locking: "off", discard: "unmap" }
  const cache = { direct: false, "no-flush": true }
  return [
    ...[
      "-blockdev",
      json({ driver: "raw", "node-name": "r0", size: mib * 1024 * 1024, discard: "unmap", cache, file })
    ],
    ...["-device", "virtio-blk-device,id=vdd,drive=r0,werror=stop,rerror=report"]
  ]
}

/**
 * The guest's memory: the VM's own file, or one that it shares. QEMU maps a shared one privately, and opens it for writing all the same.
 */
const memoryBackend = ({ memoryMib }: MachineSpec, isShared: boolean) =>
  `memory-backend-file,id=m,size=${memoryMib}M,${
    isShared ? `mem-path=/proc/self/fd/${sharedMemoryAt},share=off` : `mem-path=${names.memory},share=on`
  }`

/**
 * QEMU's arguments. vda is the environment, vdb the workspace disk, vdc the baseline, vdd the disk for a result. The working directory is the VM's folder.
 * `incoming` waits for a frozen state instead of booting. `sharesMemory` changes nothing that the guest or a frozen state knows.
 */
export const qemuArguments = (
  spec: MachineSpec,
  id: string,
  disks: Disks,
  { incoming, sharesMemory = false }: { readonly incoming: boolean; readonly sharesMemory?: boolean }
): ReadonlyArray<string> => [
  "-nodefaults",
  "-no-user-config",
  ...["-display", "none"],
  ...["-name", processName(id)],
  // QEMU stays, stopped, after a reset or power-off of the guest, so that the console can still be read.
  ...["-action", "reboot=shutdown,shutdown=pause,panic=pause"],
  ...["-M", "microvm,pic=on,pit=on,rtc=on,isa-serial=off,memory-backend=m"],
  ...["-accel", spec.accelerator],
  ...["-cpu", cpuModel(spec)],
  ...["-smp", String(spec.vcpuCount)],
  ...["-m", `${spec.memoryMib}M`],
  ...["-object", memoryBackend(spec, sharesMemory)],
  ...["-kernel", names.vmlinux, "-initrd", names.initrd, "-append", kernelCommandLine(spec)],
  ...["-chardev", `socket,id=q,path=${names.qmpSocket},server=on,wait=off`, "-mon", "chardev=q,mode=control"],
  // A ring in QEMU's memory: a guest cannot fill the host's disk with its console.
  ...["-chardev", "ringbuf,id=c,size=65536", "-device", "isa-serial,chardev=c"],
  ...["-chardev", `socket,id=p,path=${names.portSocket},server=on,wait=off`],
  ...["-device", "virtio-serial-device", "-device", "virtserialport,chardev=p,name=pyro.0"],
  ...["-device", "virtio-balloon-device,id=bal,free-page-reporting=on"],
  ...seedNode(names.environment, "e0").flatMap((node) => ["-blockdev", json(node)]),
  ...["-device", "virtio-blk-device,id=vda,drive=e0"],
  ...seedNode(disks.seed, "b0").flatMap((node) => ["-blockdev", json(node)]),
  ...disks.overlays.flatMap((filename, index) => [
    "-blockdev",
    json(overlayNode(filename, `w${index}`, index === 0 ? "b0" : `w${index - 1}`, index < disks.overlays.length - 1))
  ]),
  ...["-device", `virtio-blk-device,id=vdb,drive=w${disks.overlays.length - 1},werror=stop,rerror=report`],
  ...["-device", "virtio-blk-device,id=vdc,drive=b0"],
  ...(spec.resultMib === undefined ? [] : resultDisk(spec.resultMib)),
  ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
  ...(incoming ? ["-incoming", "defer"] : [])
]
