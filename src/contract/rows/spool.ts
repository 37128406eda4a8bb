import { Schema } from "effect"
import { integer, matching, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { outputBytes } from "./command.ts"
import { type Folding, lazy, streaming, unary } from "./operation.ts"

const NO_TOOL = { missing: "a client of another machine carries its files by itself" } as const

const idField = () =>
  Schema.String.pipe(matching(/^[0-9a-f]{32}$/, "must be 32 lower-case hexadecimal digits")).annotate({
    description: "Id of the files"
  })

export const SpoolPutPayload = lazy(() => Schema.Struct({}))
export type SpoolPutPayload = ReturnType<typeof SpoolPutPayload>["Type"]

const kept = lazy(() => ({
  id: idField(),
  files: integer("Number of files"),
  sizeBytes: integer("Bytes of all files"),
  receivedBytes: integer("Bytes of the contents that were sent. The daemon had the others from before")
}))

export const SpoolPutEvent = lazy(() =>
  Schema.Union([
    Schema.TaggedStruct("Wanted", {
      entries: Schema.Array(Schema.Int).annotate({
        description: "Places, in the manifest, of the files whose contents are to be sent, in this order"
      })
    }),
    snakeTagged("Kept", kept())
  ])
)
export type SpoolPutEvent = ReturnType<typeof SpoolPutEvent>["Type"]

const SpoolKept = lazy(() => snakeStruct(kept()))
type SpoolKept = ReturnType<typeof SpoolKept>["Type"]

const foldPut = (): Folding<SpoolPutEvent, SpoolKept> => {
  let result: SpoolKept | undefined
  return {
    add: (event) => {
      if (event._tag === "Wanted") return
      const { _tag, ...fields } = event
      result = fields
    },
    result: () => result
  }
}

export const spoolPut = streaming({
  name: "spool.put",
  summary: "Send files of this computer to another machine's spool",
  description:
    "For clients of another machine. The input has a manifest of a tree, and then the contents that the daemon asks for. A later request names the tree as " +
    "`spool:ID` in a field for a path of the host. The tree is gone after that request, or ten minutes later.",
  cli: { path: ["spool", "put"], args: [], shownBy: ["workspace", "create"], examples: [] },
  mcp: NO_TOOL,
  home: "daemon",
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: SpoolPutPayload,
  event: SpoolPutEvent,
  result: SpoolKept,
  fold: foldPut
})

const idPayload = lazy(() => Schema.Struct({ id: idField() }))

export const SpoolTakePayload = idPayload
export type SpoolTakePayload = ReturnType<typeof SpoolTakePayload>["Type"]

const taken = lazy(() => ({
  sizeBytes: integer("Size of the file in bytes"),
  sha256: string("SHA-256 of the file's content")
}))

export const SpoolTakeEvent = lazy(() =>
  Schema.Union([
    snakeTagged("Opened", {
      sizeBytes: integer("Size of the file in bytes"),
      dataBytes: integer("Bytes of those of its blocks of 64 KiB that are not all zeros")
    }),
    Schema.TaggedStruct("Output", { bytes: outputBytes() }),
    snakeTagged("Ended", taken())
  ])
)
export type SpoolTakeEvent = ReturnType<typeof SpoolTakeEvent>["Type"]

const SpoolTaken = lazy(() => snakeStruct(taken()))
type SpoolTaken = ReturnType<typeof SpoolTaken>["Type"]

const foldTake = (): Folding<SpoolTakeEvent, SpoolTaken> => {
  let result: SpoolTaken | undefined
  return {
    add: (event) => {
      if (event._tag !== "Ended") return
      const { _tag, ...fields } = event
      result = fields
    },
    result: () => result
  }
}

export const spoolTake = streaming({
  name: "spool.take",
  summary: "Read a file that a request wrote to another machine's spool",
  description:
    "For clients of another machine: a request with `spool:ID` as its output, with an id of the client's, writes its file there. Gives the bytes in gzip. The file stays until " +
    "`spool.drop`, or for ten minutes.",
  cli: { path: ["spool", "take"], args: ["id"], shownBy: ["workspace", "export"], examples: [] },
  mcp: NO_TOOL,
  home: "daemon",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: SpoolTakePayload,
  event: SpoolTakeEvent,
  result: SpoolTaken,
  fold: foldTake
})

export const spoolDrop = unary({
  name: "spool.drop",
  summary: "Remove files from another machine's spool",
  description:
    "For clients of another machine. Removes what `spool.put` or a request has written under the id, if it is still there.",
  cli: { path: ["spool", "drop"], args: ["id"], shownBy: ["gc"], examples: [] },
  mcp: NO_TOOL,
  home: "daemon",
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: idPayload,
  result: lazy(() =>
    Schema.Struct({ removed: Schema.Boolean.annotate({ description: "Whether there was something" }) })
  )
})
