import type { MachineSpec } from "../model/machine.ts"

/**
 * Command line of the guest's kernel, with a driver's `own` words. ACPI stays on, because the kernel finds the virtio-mmio devices by it.
 * After a panic the machine resets. The VM is the boundary, not the guest's kernel: of Debian's defences against programs only those that
 * programs use on themselves stay. Other security modules, `init_on_alloc` and the like are off, and cgroups count a command's own memory
 * without the kernel's. Under TCG an exec was 0.4 ms faster without the modules and the counting, and 4 % without the others, `psi` among
 * them. tracefs stays empty: up to Linux 6.5 its files take 9 MiB of memory in every VM. Under TCG only: `norandmaps`, because QEMU
 * translates code per address, and every randomised exec would translate libc again (5 to 7 times slower); `tsc_early_khz` and
 * `tsc=reliable`, because the kernel's calibration against emulated timers fails and then hangs at random.
 */
export const kernelArguments = (spec: MachineSpec, own: ReadonlyArray<string>): string =>
  [
    "quiet",
    "console=ttyS0",
    "no_timer_check",
    "random.trust_cpu=on",
    ...own,
    "panic=-1",
    ...["mitigations=off", "init_on_alloc=0", "randomize_kstack_offset=off", "hardened_usercopy=off"],
    "psi=0",
    "cgroup.memory=nokmem,nosocket",
    "lsm=landlock,yama",
    "initcall_blacklist=tracer_init_tracefs",
    "rdinit=/init",
    ...(spec.accelerator === "tcg"
      ? ["nokaslr", "norandmaps", `tsc_early_khz=${spec.tscKhz}`, "tsc=reliable"]
      : [])
  ].join(" ")
