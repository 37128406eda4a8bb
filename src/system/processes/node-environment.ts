import { named } from "../../contract/text/names.ts"
import { processEnvironment } from "../settings/config.ts"

/** Variables that have Node load other code, or print what it sends and receives: the header of a request may have a secret. */
const REMOVED = new Set(["NODE_OPTIONS", "NODE_DEBUG", "NODE_DEBUG_NATIVE", "NODE_V8_COVERAGE"])

/** Variables of this process for a Node process that handles a guest's traffic. */
export const nodeEnvironment = (): NodeJS.ProcessEnv =>
  named(Object.entries(processEnvironment()).filter(([name]) => !REMOVED.has(name)))
