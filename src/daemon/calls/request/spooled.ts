import { Effect, Exit, Schema, type Scope } from "effect"
import * as path from "node:path"
import { InvalidRequest, type PyroError } from "../../../contract/errors/errors.ts"
import type { CliSurface } from "../../../contract/rows/operation.ts"
import type { Operation } from "../../../contract/rows/operations.ts"
import { parseArchive } from "../../../contract/text/image-archive.ts"
import { named } from "../../../contract/text/names.ts"
import { snakeCase } from "../../../contract/text/snake.ts"
import { boundPlaces } from "../../../contract/wire/caller-project.ts"
import { spoolIdOf } from "../../../contract/wire/spool.ts"
import { type PackedFacts, PackedFacts as Facts, packedSources } from "../../../lib/seeding/model/packed.ts"
import { isBeneath, realPath } from "../../../system/files/host-path.ts"
import { spoolHere } from "../../spool/spool.ts"
import type { Wrap } from "../wrap.ts"
import type { RequestCall, Surroundings } from "./request.ts"

/** The field whose path a request writes. All others are read. */
const OUTPUT = "output"

const decodeFacts = Schema.decodeUnknownExit(Facts)

const refusal = (field: string) =>
  new InvalidRequest({
    field,
    detail:
      "it names a path of this machine, which a client of another machine does not see. It sends its own files instead"
  })

/** The path in a field that begins with `spool:ID`, and what follows the id. */
const partsOf = (value: string) => {
  const slash = value.indexOf("/")
  const [front, rest] = slash < 0 ? [value, ""] : [value.slice(0, slash), value.slice(slash + 1)]
  const id = spoolIdOf(front)
  return id === undefined ? undefined : { id, rest }
}

/** A host path of a request, and what the client knows about it. */
interface Opened {
  readonly path: string
  /** The directory or file that the request may reach. */
  readonly place: string
  readonly packed?: readonly [path: string, facts: PackedFacts]
}

/** The host path of the files that the field names, which live as long as the Scope. */
const open = (field: string, value: string): Effect.Effect<Opened, PyroError, Scope.Scope> =>
  Effect.gen(function*() {
    const parts = partsOf(value)
    if (parts === undefined) return yield* refusal(field)
    const spool = yield* spoolHere
    if (field === OUTPUT) {
      const made = yield* spool.make(parts.id)
      return { path: made, place: made }
    }
    const { facts, path: folder } = yield* spool.open(parts.id)
    const root = realPath(folder) ?? folder
    const given = parts.rest === "" ? root : path.join(root, parts.rest)
    // The client chose the links of the tree.
    const real = realPath(given)
    if (real === undefined || !isBeneath(real, root)) {
      return yield* new InvalidRequest({ field, detail: "there is no such file among those that were sent" })
    }
    if (facts === undefined) return { path: real, place: root }
    const decoded = decodeFacts(facts)
    if (Exit.isFailure(decoded)) return yield* new InvalidRequest({ field, detail: "what is said about it is wrong" })
    return { path: real, place: root, packed: [root, decoded.value] }
  })

/** Fields of the row that hold a path, or the name of an archive by its path. */
const fieldsOf = ({ cli }: Operation) => {
  const { hostPaths = [], imageSources = [] }: CliSurface = cli
  return { hostPaths, imageSources }
}

/** An archive's path: `@ID` in place of a path, which a colon would end. */
const archiveIn = (value: string) => {
  const archive = parseArchive(value)
  return archive === undefined ? undefined : { archive, value: archive.path.replace(/^@/, "spool:") }
}

/** The request with paths of this host in the place of those that the client has named. */
const opened = (row: ReturnType<typeof fieldsOf>, payload: object) =>
  Effect.gen(function*() {
    const packed = new Map<string, PackedFacts>()
    const [reading, writing]: [Array<string>, Array<string>] = [[], []]
    const changed = new Map<string, unknown>()
    for (const [name, value] of Object.entries(payload)) {
      const field = snakeCase(name)
      if (typeof value !== "string" || value === "-") continue
      const archive = row.imageSources.includes(field) ? archiveIn(value) : undefined
      if (archive !== undefined) {
        const { archive: { image, transport } } = archive
        const found = yield* open(field, archive.value)
        reading.push(found.place)
        changed.set(name, `${transport}:${found.path}${image === undefined ? "" : `:${image}`}`)
      } else if (row.hostPaths.includes(field)) {
        const found = yield* open(field, value)
        ;(field === OUTPUT ? writing : reading).push(found.place)
        changed.set(name, found.path)
        if (found.packed !== undefined) packed.set(...found.packed)
      }
    }
    return { payload: { ...payload, ...named(changed) }, packed, places: { reading, writing } }
  })

/**
 * Of a client of another machine: opens the files that it has sent to the spool, in place of the paths of this host, and refuses every other path.
 *
 * Needs to know where the client is. Stands inside of `hold`, so that the files live as long as the work, and outside of every line that reads a path.
 */
export const spooled: Wrap<RequestCall, Pick<Surroundings, "isForeign">> = {
  name: "spool",
  does: "of a client of another machine: opens the files that it has sent, and refuses every path of this host",
  because: "inside of hold: the files live as long as the work; outside of the lines that read a path",
  concerns: (row) => {
    const { hostPaths, imageSources } = fieldsOf(row)
    return hostPaths.length + imageSources.length > 0
  },
  around: (row, call, { isForeign }) => {
    if (isForeign !== true) return call
    const fields = fieldsOf(row)
    return (payload, request) =>
      Effect.flatMap(opened(fields, payload as object), ({ packed, payload, places }) =>
        call(payload, request).pipe(
          Effect.provideService(packedSources, packed),
          // Nothing else of this host is the client's.
          Effect.provideService(boundPlaces, places)
        ))
  }
}
