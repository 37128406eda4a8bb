import { Effect } from "effect"
import type { DoctorLine } from "../../contract/rows/host.ts"
import { Environments } from "../../environment/Environments.ts"
import { Paths } from "../../system/files/Paths.ts"
import { canLink, fileBytes } from "../../system/processes/host.ts"
import { fine, improvable } from "./line.ts"

const mib = 1024 * 1024

/** Kernel and initramfs of a guest, in MiB: 53.2 and 0.4 MB (Debian's 6.1.176). */
const KERNEL_MIB = 51

/** What a workspace costs of the disk: it holds images of the cache by a second name, and by a copy where there can be none. */
export const sharing: Effect.Effect<ReadonlyArray<DoctorLine>, never, Environments | Paths> = Effect.gen(function*() {
  const { cacheDir, stateDir } = yield* Paths
  if (canLink(cacheDir, stateDir)) return [fine("images", "each workspace shares those of the cache, without a copy")]
  const all = yield* Effect.orElseSucceed(Effect.flatMap(Environments, ({ list }) => list), () => [])
  const costs = all.flatMap(({ environment }) =>
    environment === undefined
      ? []
      : [`${Math.ceil(fileBytes(environment.imagePath) / mib) + KERNEL_MIB} MiB of ${environment.name}`]
  )
  const each = costs.length === 0 ? `its environment and ${KERNEL_MIB} MiB of kernel` : costs.join(", or ")
  return [improvable(
    "images",
    `the cache and the state directory are on different file systems: each workspace copies ${each}, and its seed`,
    "put both on one file system with PYRO_STATE_DIR or PYRO_CACHE_DIR"
  )]
})
