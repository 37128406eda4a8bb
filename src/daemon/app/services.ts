import { Layer } from "effect"
import { SeedImages } from "../../lib/disk/SeedImages.ts"
import { Environments } from "../../lib/environment/Environments.ts"
import { Kernel } from "../../lib/environment/Kernel.ts"
import { Dialler } from "../../lib/network/Dialler.ts"
import { SecretRegistry } from "../../lib/redaction/secrets.ts"
import { HostFacts } from "../../lib/vm/model/HostFacts.ts"
import { Vmm } from "../../lib/vm/Vmm.ts"
import { Paths } from "../../system/files/Paths.ts"
import { checkSettings } from "../../system/settings/config.ts"
import { EventLog } from "../../workspace/entry/events.ts"
import { PortHolders } from "../../workspace/entry/port-holders.ts"

/** `services` without the known secrets, for a process that redacts its own log by them. */
export const servicesBesideSecrets = Vmm.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Environments.layer, SeedImages.layer)),
  Layer.provideMerge(Layer.mergeAll(Kernel.layer, HostFacts.layer, Dialler.layer)),
  Layer.provideMerge(Layer.mergeAll(EventLog.layer, Paths.layer, PortHolders.layer)),
  // First: each service reads its own variables when it needs them.
  Layer.provideMerge(Layer.effectDiscard(checkSettings))
)

/** The services of all work, in this process. */
export const services = Layer.provideMerge(servicesBesideSecrets, SecretRegistry.layer)

export type HostServices = Layer.Success<typeof services>
