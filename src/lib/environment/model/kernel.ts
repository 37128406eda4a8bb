import type { Effect } from "effect"
import type { EnvironmentBuildFailed, HostToolMissing, ImageDamaged, NoSpace } from "../../../contract/errors/errors.ts"
import type { OnProgress } from "./progress.ts"

/** Kernel and initramfs that a VM boots. */
export interface GuestKernel {
  /** Release of the kernel, as `uname -r` prints it in the guest. */
  readonly version: string
  /** Names kernel and initramfs together. Changes with the guest agent. */
  readonly digest: string
  readonly vmlinux: string
  readonly initrd: string
}

/** Files of the kernel package that an environment's image needs. */
export interface KernelModules {
  readonly version: string
  /** Digest of the kernel's own pieces, without the agent. */
  readonly digest: string
  /** Tar archive of `lib/modules`. */
  readonly archive: string
}

export type KernelError = EnvironmentBuildFailed | NoSpace | HostToolMissing | ImageDamaged

/** Interface of the service `Kernel`. */
export interface GuestKernels {
  /** Kernel and initramfs, made when they are absent or damaged. Cheap otherwise. */
  readonly ensure: Effect.Effect<GuestKernel, KernelError>
  /** The same, with progress reports. */
  readonly ensureWith: (onProgress: OnProgress) => Effect.Effect<GuestKernel, KernelError>
  /** Modules for `/lib/modules` of an image, made with the kernel when absent. */
  readonly modules: (onProgress: OnProgress) => Effect.Effect<KernelModules, KernelError>
  /** Removes leftovers of dead builds and returns their bytes. Safe at any time. */
  readonly sweep: Effect.Effect<number, KernelError>
  /** Removes unused kernels, unused initramfs images and leftovers of dead builds. Returns their bytes. */
  readonly prune: Effect.Effect<number, KernelError>
}
