import { Schema } from "effect"
import {
  between,
  boolean,
  bytes,
  defaulted,
  described,
  flag,
  integer,
  matching,
  must,
  optional,
  string
} from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"

/** Path of a file of the guest. */
export const path = (description: string) =>
  Schema.String.pipe(
    must((value) => value !== "" && !value.includes("\0"), "must be a path of the guest, without a NUL byte"),
    described(`${description}: absolute, or relative to /workspace. A path that is not UTF-8 is in git's quoted form`)
  )

/** The user whose rights a file operation has. */
export const fileUserField = () => ({
  user: optional(
    Schema.String.pipe(
      matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_.-]{1,64})?$/, "must be a user name, a uid, or uid:gid"),
      described("Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root")
    )
  )
})

export const version = lazy(() =>
  string("Version of the file's content, for `expected_version` of a later write or edit")
)
export const mode = lazy(() => string("Permission bits in octal, such as 0644"))
export const sizeBytes = lazy(() => integer("Size of the file in bytes"))
/** A path in a result, in git's form. */
export const gitPath = (description: string) =>
  string(`${description}. A path that is not UTF-8 is in git's quoted form`)

/** Whether files keep their times. */
export const preserveTimes = (files: string) =>
  flag(`Keep the modification times of files in ${files}. \`pyro cp\` always does`)

export const resultPath = lazy(() => string("Path relative to /workspace, absolute outside of it"))

/** Maximum bytes of an image: 5 MiB as base64, the limit of model APIs. */
export const MAX_IMAGE_BYTES = 3_932_160

export const FileImage = lazy(() =>
  snakeStruct({
    mediaType: Schema.Literals(["image/png", "image/jpeg", "image/gif", "image/webp"]).annotate({
      description: "Format, from the first bytes of the file"
    }),
    width: optional(integer("Width in pixels, from the header. Absent if the header has none")),
    height: optional(integer("Height in pixels. Absent if the header has none")),
    content: optional(bytes("Content. Absent if it is longer than 3932160 bytes", MAX_IMAGE_BYTES))
  })
)

/** Fields that choose the entries of a listing. */
export const listingFields = () => ({
  recursive: flag("List subdirectories as well"),
  depth: optional(between({
    from: 1,
    to: 1_024,
    unit: "levels",
    description: "Number of levels to list; 1 is the directory's own entries. Default: 1, with `recursive` all"
  })),
  limit: defaulted(
    between({ from: 1, to: 10_000, unit: "entries", description: "Maximum number of entries, upper levels first" }),
    () => 1_000
  )
})

const entryType = lazy(() =>
  Schema.Literals(["file", "directory", "symlink", "character", "block", "fifo", "socket"]).annotate({
    description: "Type of the entry"
  })
)
const modifiedAt = () => optional(string("Time of the last change, ISO 8601. Absent if the time has no calendar date"))
const linkTarget = () => optional(string("Target of a symbolic link. Absent for others"))

/** The same of one file, which may be absent. */
export const fileState = () => ({
  type: optional(entryType()),
  sizeBytes: optional(sizeBytes()),
  mode: optional(mode()),
  modifiedAt: modifiedAt(),
  target: linkTarget(),
  uid: optional(integer("Number of the owner")),
  gid: optional(integer("Number of the group"))
})

/** An entry of a listing; `path` describes its path. */
export const fileEntry = (path: Schema.Codec<string>) =>
  snakeStruct({
    path,
    type: entryType(),
    sizeBytes: sizeBytes(),
    mode: mode(),
    modifiedAt: modifiedAt(),
    target: linkTarget()
  })

/** A listing; `path` describes the paths in it. */
export const fileList = (path: Schema.Codec<string>) =>
  snakeStruct({
    path,
    entries: Schema.Array(fileEntry(path)).annotate({ description: "Entries in the order of their paths' bytes" }),
    truncated: boolean("Whether there are more entries than the limit"),
    total: optional(integer("Total number of entries. Absent if there are too many to count"))
  })

/** Maximum bytes of text that one read returns. */
export const MAX_READ_BYTES = 4_194_304

/** Fields that choose the lines of a read. */
export const lineFields = () => ({
  startLine: defaulted(
    between({ from: 1, to: 1_000_000_000, description: "Number of the first line to read" }),
    () => 1
  ),
  lineCount: optional(between({
    from: 1,
    to: 1_000_000_000,
    unit: "lines",
    description: "Number of lines to read. Default: to the end"
  })),
  maxBytes: defaulted(
    between({
      from: 1,
      to: MAX_READ_BYTES,
      unit: "bytes",
      description: "Maximum bytes of text to return, in whole lines unless the first line is longer"
    }),
    () => 262_144
  )
})

/** Text of a file with its place in the file. */
export const textFields = () => ({
  text: optional(string("Text of the lines. Absent for a binary file")),
  binary: boolean("Whether the file is binary: it has a NUL byte near its beginning"),
  lossy: boolean("Whether bytes that are not UTF-8 were replaced by U+FFFD"),
  truncated: boolean("Whether text is left out. `next_line` and `cut_line` say where"),
  startLine: optional(integer("Number of the first line of the text")),
  lineCount: optional(integer("Number of lines in the text")),
  cutLine: optional(
    integer("Number of a line that is longer than the limit; the text has its beginning. Absent otherwise")
  ),
  nextLine: optional(integer("Number of the next line to read. Absent at the end")),
  totalLines: optional(integer("Number of lines in the file. Absent if the file is too long to count"))
})
