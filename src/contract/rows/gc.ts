import { Schema } from "effect"
import { snakeStruct } from "../text/snake.ts"
import { DiskUsage } from "./disk-usage.ts"
import { lazy, unary } from "./operation.ts"

export const GcResult = lazy(() =>
  snakeStruct({
    swept: Schema.Array(Schema.Struct({
      kind: Schema.String.annotate({
        description: "Kind of resource, such as `vm`, `memory file` or `evicted template`"
      }),
      what: Schema.String.annotate({ description: "Its pid, id or path" })
    })).annotate({ description: "Resources that were removed" }),
    freedBytes: Schema.Int.annotate({ description: "Bytes of disk and memory that were freed" }),
    disk: DiskUsage().annotate({ description: "Use of the host's disk afterwards" })
  })
)
export type GcResult = ReturnType<typeof GcResult>["Type"]

export const gc = unary({
  name: "gc",
  summary: "Remove what a crash left behind",
  description:
    "Compares pyro's records with the processes, memory files and directories on this host. Ends and removes those without " +
    "an owner, and lists them. Resources in use stay. If the disk budget or the free space demands it, evicts caches that were not used the longest. " +
    "Shows what uses the disk. Running it again is safe.",
  cli: { path: ["gc"], args: [], exits: "own", examples: ["pyro gc"] },
  mcp: { missing: "host administration" },
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: GcResult
})
