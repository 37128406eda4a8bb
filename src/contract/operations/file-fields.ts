import { Schema } from "effect"
import { bytes, optional } from "../fields.ts"
import { lazy } from "../operation.ts"
import { snakeFields } from "../snake.ts"

/** Path of a file in the workspace. */
export const path = (description: string) =>
  Schema.String.pipe(
    Schema.filter((value) => value !== "" && !value.includes("\0"), {
      message: () => "must be a path beneath /workspace, without a NUL byte"
    }),
    Schema.annotations({
      description: `${description}: a path beneath /workspace. A path that is not UTF-8 is in git's quoted form`
    })
  )

export const version = lazy(() =>
  Schema.String.annotations({
    description: "Version of the file's content, for `expected_version` of a later write or edit"
  })
)
export const mode = lazy(() => Schema.String.annotations({ description: "Permission bits in octal, such as 0644" }))
export const sizeBytes = lazy(() => Schema.Int.annotations({ description: "Size of the file in bytes" }))
export const resultPath = lazy(() => Schema.String.annotations({ description: "Path relative to /workspace" }))

/** Maximum bytes of an image: 5 MiB as base64, the limit of model APIs. */
export const MAX_IMAGE_BYTES = 3_932_160

export const FileImage = lazy(() =>
  Schema.Struct(snakeFields({
    mediaType: Schema.Literal("image/png", "image/jpeg", "image/gif", "image/webp").annotations({
      description: "Format, from the first bytes of the file"
    }),
    width: optional(
      Schema.Int.annotations({ description: "Width in pixels, from the header. Absent if the header has none" })
    ),
    height: optional(Schema.Int.annotations({ description: "Height in pixels. Absent if the header has none" })),
    content: optional(bytes("Content. Absent if it is longer than 3932160 bytes", MAX_IMAGE_BYTES))
  }))
)
