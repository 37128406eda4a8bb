import { Effect } from "effect"
import { type Inside, prepareInside } from "../../../src/agent-host/inside.ts"
import type { InsideName } from "../../../src/contract/rows/agent-host.ts"

/** An agent for a workspace, with a key and the usual provider. */
export const insideOf = (agent: InsideName): Inside =>
  Effect.runSync(
    prepareInside({ agent, args: [], ask: false, env: {} }, (name) => name.endsWith("_URL") ? undefined : "a-key")
  )
