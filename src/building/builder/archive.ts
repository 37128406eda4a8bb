import { Effect, type Scope, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { ImageArchive } from "../../contract/text/image-archive.ts"
import { printable } from "../../contract/text/printable.ts"
import { demandReadable } from "../../system/files/caller-places.ts"
import { openUnfollowed } from "../../system/files/content.ts"
import { exists } from "../../system/files/entries.ts"
import { realDirectory, realPath } from "../../system/files/host-path.ts"
import { isRegular } from "../../system/files/pieces.ts"
import { imageOfEngine } from "../../system/processes/docker-engine.ts"
import { tarOf } from "../../system/processes/tar.ts"
import { type FileUnreadable, type Upload, uploadOfFile } from "./give-file.ts"

const wrong = (detail: string) => new InvalidRequest({ field: "source", detail })

/** The bytes of an archive, which only a builder looks into, and what they should be. */
export interface OpenArchive extends Upload {
  readonly kind: "auto" | "oci" | "docker"
  /** The image in it. Undefined: its only one. */
  readonly image: string | undefined
}

const openFile = (asked: string) =>
  Effect.gen(function*() {
    const source = asked.startsWith("/") ? realPath(asked) : undefined
    if (source === undefined) return yield* wrong(`${printable(asked)} is not there, or cannot be reached`)
    yield* demandReadable("source", source)
    const opened = Effect.gen(function*() {
      const fd = yield* openUnfollowed(source)
      return { fd, isFile: yield* isRegular(fd, source) }
    })
    const { fd, isFile } = yield* Effect.mapError(opened, ({ detail }) => wrong(`it cannot be opened: ${detail}`))
    if (isFile) return yield* uploadOfFile(fd, source)
    return yield* wrong(
      realDirectory(source) === undefined
        ? `${printable(asked)} is no ordinary file`
        : `${printable(asked)} is a directory; of an OCI layout, name it as oci:${printable(asked)}`
    )
  })

/** Files of an OCI layout. Other files of the directory are left out. */
const LAYOUT = ["oci-layout", "index.json", "blobs"]

const openDirectory = (asked: string) =>
  Effect.gen(function*() {
    const source = asked.startsWith("/") ? realDirectory(asked) : undefined
    if (source === undefined) return yield* wrong(`${printable(asked)} is no directory`)
    yield* demandReadable("source", source)
    const absent = LAYOUT.find((name) => !exists(`${source}/${name}`))
    if (absent !== undefined) return yield* wrong(`${printable(asked)} is no OCI layout: it has no ${absent}`)
    return Stream.mapError(
      tarOf(source, LAYOUT),
      ({ stderr }) => wrong(`${printable(asked)} cannot be read: ${stderr}`)
    )
  })

/** Opens what a source names. The Scope closes it. */
export const openArchive = (
  { image, path, transport }: Pick<ImageArchive, "image" | "path" | "transport">
): Effect.Effect<OpenArchive, FileUnreadable, Scope.Scope> => {
  switch (transport) {
    case "oci":
      return Effect.map(openDirectory(path), (bytes) => ({ bytes, kind: "oci", image }))
    case "oci-archive":
      return Effect.map(openFile(path), (upload) => ({ ...upload, kind: "oci", image }))
    case "docker-archive":
      return Effect.map(openFile(path), (upload) => ({ ...upload, kind: "docker", image }))
    case "docker-daemon":
      return imageOfEngine(image ?? "").pipe(
        Effect.map((bytes): OpenArchive => ({
          bytes: Stream.mapError(bytes, ({ detail }) => wrong(detail)),
          kind: "auto",
          image: undefined
        })),
        Effect.catchTag("EngineFailed", ({ detail }) => wrong(detail))
      )
  }
}

/** A file of either kind. */
export const openAny = (path: string): Effect.Effect<OpenArchive, FileUnreadable, Scope.Scope> =>
  Effect.map(openFile(path), (upload) => ({ ...upload, kind: "auto", image: undefined }))

/** The input of the request. */
export const openInput = (input: RunInput | undefined): Effect.Effect<OpenArchive, InvalidRequest> =>
  input?.stdin === undefined
    ? wrong("- is the input of the request, which has none")
    : Effect.succeed({ bytes: input.stdin, kind: "auto", image: undefined })
