import { Layer } from "effect"
import { SecretRegistry } from "../../../src/lib/redaction/secrets.ts"
import { EventLog } from "../../../src/workspace/entry/events.ts"

/** The event logs of an installation of their own, and the secrets that the installation knows. */
export const eventLog = Layer.provideMerge(EventLog.layer, SecretRegistry.layer)
