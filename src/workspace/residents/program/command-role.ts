import { Schema } from "effect"

/** Role of a command that is no exec: a shell, or one run of the service of this name. */
export const CommandRole = Schema.Union([
  Schema.TaggedStruct("shell", {}),
  Schema.TaggedStruct("service", {
    name: Schema.String,
    /** Signal that asks its main process for its end. Absent: SIGTERM, to its process group. */
    stopSignal: Schema.optional(Schema.Int)
  })
])
export type CommandRole = typeof CommandRole.Type
