import { Effect } from "effect"
import type { InvalidConfiguration } from "../../../contract/errors/errors.ts"
import type { LayerFormat } from "../../../lib/disk/layer-format.ts"
import type { DriverName } from "../../../lib/vm/model/guest.ts"
import { setting } from "../../../system/settings/config.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"

/** The driver of a new guest: the caller's, else the configured one. `auto` is QEMU. */
export const driverOf = (
  { driver }: { readonly driver?: DriverName | "auto" | undefined }
): Effect.Effect<DriverName, InvalidConfiguration> =>
  Effect.map(
    driver === undefined ? setting("PYRO_DRIVER") : Effect.succeed(driver),
    (wanted) => wanted === "firecracker" ? "firecracker" : "qemu"
  )

/** Format in which the workspace's driver stores the writes of its guest. */
export const layerFormatOf = ({ driver }: Pick<WorkspaceRecord, "driver">): LayerFormat =>
  driver === "firecracker" ? "store" : "qcow2"
