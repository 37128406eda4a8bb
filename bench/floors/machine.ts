/** Program and disks of the floor's VMs. */
export interface Machine {
  readonly accelerator: "kvm" | "tcg"
  readonly memoryMib: number
  readonly tscKhz: number
  readonly vmlinux: string
  readonly initrd: string
  /** erofs image of the environment. */
  readonly environment: string
  /** Raw ext4 image with upper/, work/ and workspace/. */
  readonly disk: string
  readonly diskBytes: number
}

const kernelArguments = ({ accelerator, tscKhz }: Machine) =>
  [
    "quiet",
    "no_timer_check",
    "random.trust_cpu=on",
    "reboot=t",
    "panic=-1",
    "mitigations=off",
    "rdinit=/init",
    ...(accelerator === "tcg" ? ["nokaslr", "norandmaps", `tsc_early_khz=${tscKhz}`, "tsc=reliable"] : [])
  ].join(" ")

/**
 * QEMU's arguments, with names relative to the VM's folder. vda is the environment, vdb an overlay over the disk. QEMU connects to
 * two sockets of its parent, so nothing polls.
 */
export const qemuArguments = (machine: Machine, memory: string, start: "boot" | "incoming"): ReadonlyArray<string> => [
  ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
  ...["-M", "microvm,pic=on,pit=on,rtc=on,isa-serial=off,memory-backend=m"],
  ...["-accel", machine.accelerator],
  ...["-cpu", machine.accelerator === "kvm" ? "host,migratable=off" : "max,-avx,-avx2,-fma,-f16c,-erms,-fsrm,-la57"],
  ...["-smp", "1", "-m", `${machine.memoryMib}M`],
  ...["-object", `memory-backend-file,id=m,size=${machine.memoryMib}M,mem-path=${memory},share=on`],
  ...["-kernel", machine.vmlinux, "-initrd", machine.initrd, "-append", kernelArguments(machine)],
  ...["-chardev", "socket,id=q,path=q,server=off", "-mon", "chardev=q,mode=control"],
  ...["-chardev", "socket,id=p,path=p,server=off"],
  ...["-device", "virtio-serial-device", "-device", "virtserialport,chardev=p,name=pyro.0"],
  ...["-blockdev", `driver=file,node-name=e0f,filename=${machine.environment},read-only=on,locking=off`],
  ...["-blockdev", "driver=raw,node-name=e0,file=e0f,read-only=on", "-device", "virtio-blk-device,id=vda,drive=e0"],
  ...["-blockdev", `driver=file,node-name=s0f,filename=${machine.disk},read-only=on,locking=off`],
  ...["-blockdev", "driver=raw,node-name=s0,file=s0f,read-only=on"],
  ...["-blockdev", "driver=file,node-name=w0f,filename=overlay.qcow2,locking=off"],
  ...["-blockdev", "driver=qcow2,node-name=w0,file=w0f,backing=s0", "-device", "virtio-blk-device,id=vdb,drive=w0"],
  ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
  ...(start === "incoming" ? ["-incoming", "defer"] : [])
]
