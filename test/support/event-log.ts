import { Layer } from "effect"
import { EventLog } from "../../src/workspace/events.ts"
import { KnownSecrets } from "../../src/workspace/secret/known.ts"

/** The event logs of an installation of their own, and the secrets that the installation knows. */
export const eventLog = Layer.provideMerge(EventLog.layer, KnownSecrets.layer)
