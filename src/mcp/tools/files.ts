import { Effect, Schema } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { MAX_IMAGE_BYTES } from "../../contract/rows/file-fields.ts"
import { lazy } from "../../contract/rows/operation.ts"
import type { DiskContent } from "../../contract/rows/workspace-disk.ts"
import { FileEntry, type FileList } from "../../contract/rows/workspace-file.ts"
import { count } from "../../contract/text/count.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import type { Fields } from "../arguments.ts"
import { costOf, headOf, MAX_TEXT_CHARACTERS } from "../bounded.ts"
import type { Tool } from "../request.ts"
import { bytes, lines } from "../words.ts"
import { moreText, pageOf, pageStart } from "./paging.ts"

const Listed = lazy(() =>
  snakeStruct({
    path: Schema.String,
    entries: Schema.Array(FileEntry()),
    nextCursor: Schema.NullOr(Schema.String)
  })
)

/** Maximum entries of a tree. Pages are cut from these. */
const MAX_ENTRIES = 10_000

const entryLine = ({ path, sizeBytes, target, type }: FileEntry) => {
  switch (type) {
    case "directory":
      return `${path}/`
    case "symlink":
      return `${path} -> ${target ?? "?"}`
    case "file":
      return `${path}  ${bytes(sizeBytes)}`
    default:
      return `${path}  (${type})`
  }
}

type ListTool<Name extends "workspace.file.list" | "workspace.disk.list"> = Tool<
  Name,
  ReturnType<typeof Listed>["Type"]
>

/** Cuts a listing into pages. */
const pagesOf = (own: Fields, list: Effect.Effect<FileList, PyroError>) =>
  Effect.gen(function*() {
    const start = yield* pageStart(own["cursor"])
    const found = yield* list
    const { entries, nextCursor } = pageOf(found.entries, start)
    const total = found.total ?? (found.truncated ? null : found.entries.length)
    const text = lines(
      `${found.path}: ${total === null ? `more than ${MAX_ENTRIES} entries` : count(total, "entry", "entries")}`,
      ...entries.map(entryLine),
      moreText(nextCursor),
      found.truncated && nextCursor === null && `[only the first ${MAX_ENTRIES} are listed; name a subdirectory]`
    )
    return { result: { path: found.path, entries, nextCursor }, text }
  })

export const fileListTool: ListTool<"workspace.file.list"> = {
  result: Listed,
  perform: ({ own, payload, pyro }) => pagesOf(own, pyro.workspace.file.list({ ...payload, limit: MAX_ENTRIES }))
}

export const diskListTool: ListTool<"workspace.disk.list"> = {
  result: Listed,
  perform: ({ own, payload, pyro }) => pagesOf(own, pyro.workspace.disk.list({ ...payload, limit: MAX_ENTRIES }))
}

export const fileReadTool: Tool<"workspace.file.read"> = {
  perform: ({ payload, pyro }) =>
    Effect.gen(function*() {
      const read = yield* pyro.workspace.file.read({ ...payload, maxBytes: MAX_TEXT_CHARACTERS, images: true })
      if (read.binary) {
        return { result: read, ...(read.image === undefined ? binaryReport(read) : imageReport(read, read.image)) }
      }
      const file = fitting(read)
      return { result: file, text: partText(file, payload, `, version ${file.version}`, cutLineText) }
    })
}

export const diskReadTool: Tool<"workspace.disk.read"> = {
  perform: ({ payload, pyro }) =>
    Effect.gen(function*() {
      const read = yield* pyro.workspace.disk.read({ ...payload, maxBytes: MAX_TEXT_CHARACTERS })
      if (read.binary) return { result: read, text: `${read.path} is binary, ${bytes(read.sizeBytes)}` }
      const file = fitting(read)
      return { result: file, text: partText(file, payload, "", (_, line) => `[line ${line} is too long and cut]`) }
    })
}

/** Lines of a file below a verdict, which `about` ends. */
const partText = <File extends DiskContent>(
  file: File,
  payload: { readonly startLine: number },
  about: string,
  cutText: (file: File, line: number) => string
) => {
  const first = file.startLine ?? payload.startLine
  const last = first + (file.lineCount ?? 0) - 1
  const of = file.totalLines === undefined ? "" : ` of ${file.totalLines}`
  const verdict = last < first
    ? `${file.path} has no line ${first}${of === "" ? "" : `; it has ${file.totalLines}`}${about}`
    : `${file.path} lines ${first}-${last}${of}${about}`
  return lines(
    verdict,
    file.lossy && "[bytes that are not UTF-8 are shown as U+FFFD]",
    file.text,
    file.cutLine !== undefined && cutText(file, file.cutLine),
    file.nextLine !== undefined && `[more: call again with start_line ${file.nextLine}]`
  )
}

type ImageRead = NonNullable<Content["image"]>

const binaryReport = ({ path, sizeBytes }: Content) => ({
  text: `${path} is binary, ${bytes(sizeBytes)}; inspect it with workspace_exec`,
  alone: {}
})

/** Most pixels of a side that model APIs take. */
const MAX_PIXELS = 8_000

const KINDS = { "image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WebP" } as const

/** An image with its verdict, or why it is not shown. */
const imageReport = ({ path, sizeBytes, version }: Content, { content, height, mediaType, width }: ImageRead) => {
  const size = width === undefined || height === undefined ? "" : `${width} x ${height} pixels, `
  const what = `${path} is a ${KINDS[mediaType]} image, ${size}${bytes(sizeBytes)}`
  if (size === "") {
    return { text: `${what}; damaged: its header has no size. Inspect it with workspace_exec`, alone: {} }
  }
  if (content === undefined || Math.max(width!, height!) > MAX_PIXELS) {
    const limit = `at most ${bytes(MAX_IMAGE_BYTES)}, and ${MAX_PIXELS} pixels a side`
    return {
      text: `${what}: too large to show (${limit}). Make a smaller copy with workspace_exec and read it`,
      alone: {}
    }
  }
  return { text: `${what}, version ${version}`, alone: { image: { mediaType, bytes: content } } }
}

type Content = Effect.Success<ReturnType<NonNullable<typeof fileReadTool.perform>>>["result"]

/** How to read the rest of a line that is cut. */
const cutLineText = ({ lossy, text = "" }: Content, line: number) => {
  // Replaced bytes cannot be counted.
  const shown = lossy ? 0 : Buffer.byteLength(text)
  return `[line ${line} is too long and cut; read the rest with workspace_exec: ` +
    `sed -n ${line}p FILE | tail -c +${shown + 1} | head -c ${MAX_TEXT_CHARACTERS}]`
}

/** Shortens a text whose JSON is too long: at an earlier line, or within its only line. */
const fitting = <File extends DiskContent>(file: File): File => {
  if (file.text === undefined || costOf(file.text) <= MAX_TEXT_CHARACTERS) return file
  const startLine = file.startLine ?? 1
  const head = headOf(file.text, MAX_TEXT_CHARACTERS)
  const text = head.slice(0, head.lastIndexOf("\n") + 1)
  const { cutLine: _, nextLine, ...others } = file
  const rest = others as unknown as File
  if (text !== "") {
    const lineCount = text.split("\n").length - 1
    return { ...rest, text, lineCount, truncated: true, nextLine: startLine + lineCount }
  }
  const next = (file.lineCount ?? 1) > 1 ? startLine + 1 : nextLine
  const behind = next === undefined ? {} : { nextLine: next }
  return { ...rest, text: head, lineCount: 1, truncated: true, cutLine: startLine, ...behind }
}

export const fileWriteTool: Tool<"workspace.file.write"> = {
  text: ({ created, path, sizeBytes, version }) =>
    `${created ? "created" : "replaced"} ${path}, ${bytes(sizeBytes)}, version ${version}`
}

export const fileEditTool: Tool<"workspace.file.edit"> = {
  text: ({ lineEndings, lines: at, path, replaced, version }) =>
    `edited ${path}: ${count(replaced, "replacement")} at line ${at.join(", ")}, version ${version}` +
    (lineEndings === "kept" ? "" : `; its lines end in ${lineEndings.toUpperCase()}, as do the new ones`)
}
