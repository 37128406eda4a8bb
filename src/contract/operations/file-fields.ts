import { Schema } from "effect"
import { bytes, optional } from "../fields.ts"
import { lazy } from "../operation.ts"
import { snakeFields } from "../snake.ts"

/** A file of a workspace that a request names. */
export const path = (description: string) =>
  Schema.String.pipe(
    Schema.filter((value) => value !== "" && !value.includes("\0"), {
      message: () => "must be a path beneath /workspace, without a NUL byte"
    }),
    Schema.annotations({
      description: `${description}: relative to /workspace or beneath it; one that is not UTF-8 in git's quoted form`
    })
  )

export const version = lazy(() =>
  Schema.String.annotations({
    description: "Names this state of the file: `expected_version` of a later write or edit"
  })
)
export const mode = lazy(() => Schema.String.annotations({ description: "Permission bits in octal, such as 0644" }))
export const sizeBytes = lazy(() => Schema.Int.annotations({ description: "Size of the whole file" }))
export const resultPath = lazy(() => Schema.String.annotations({ description: "Path relative to /workspace" }))

/** Most bytes of an image that are given: 5 MiB as base64, which is what model APIs take. */
export const MAX_IMAGE_BYTES = 3_932_160

export const FileImage = lazy(() =>
  Schema.Struct(snakeFields({
    mediaType: Schema.Literal("image/png", "image/jpeg", "image/gif", "image/webp"),
    width: optional(
      Schema.Int.annotations({ description: "In pixels, as the header tells; absent where it tells none" })
    ),
    height: optional(Schema.Int.annotations({ description: "In pixels" })),
    content: optional(bytes("Content; absent when it is longer than 3932160 bytes", MAX_IMAGE_BYTES))
  }))
)
