import { Effect, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import { type Notice, notice } from "../../contract/rows/notice.ts"
import type { PayloadOf } from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { environmentOfFile, parseArchive } from "../../contract/text/image-archive.ts"
import { demandReadable } from "../../system/files/caller-places.ts"
import { isDirectory, realPath } from "../../system/files/host-path.ts"
import { Paths } from "../../system/files/Paths.ts"
import { rememberSource, type SourcesOf } from "../model/sources.ts"
import type { Sent } from "./pack.ts"

// The calls that read files of this machine. Each sends them first, and then asks as it would on one machine.

/** Loaded with the first file to send: most commands send none. */
const loadPack = Effect.promise(() => import("./pack.ts"))
const loadContext = Effect.promise(() => import("./build-context.ts"))

/** Paths that an import names: as the contract says. */
const MOST_SKIPPED = 1_000

const SENDING: Notice = notice("progress", "sending files to the other machine")

/** Removes what a request names in the spool: one that is refused has not used it. */
const dropping = (pyro: PyroService, payload: unknown) =>
  Effect.forEach(
    Object.values(payload as object).flatMap((value) => {
      const found = typeof value === "string" ? /(?:^spool:|:@)([0-9a-f]{32})/.exec(value)?.[1] : undefined
      return found === undefined ? [] : [found]
    }),
    (id) => Effect.ignore(pyro.spool.drop({ id })),
    { discard: true }
  )

/** The events of a call whose payload has to be prepared. */
const prepared = <Payload, Event, E>(
  pyro: PyroService,
  prepare: Effect.Effect<Payload, PyroError, Paths>,
  call: (payload: Payload) => Stream.Stream<Event, E>
): Stream.Stream<Event | Notice, E> =>
  Stream.concat(
    Stream.make(SENDING),
    Stream.unwrap(Effect.map(
      Effect.provide(prepare, Paths.layer),
      (payload) => Stream.onError(call(payload), () => dropping(pyro, payload))
    ))
  ) as Stream.Stream<Event | Notice, E>

/** The result of a call whose payload has to be prepared. */
const preparedAnswer = <Payload, A, E>(
  pyro: PyroService,
  prepare: Effect.Effect<Payload, PyroError, Paths>,
  call: (payload: Payload) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(
    Effect.provide(prepare, Paths.layer),
    (payload) => Effect.onError(call(payload), () => dropping(pyro, payload))
  ) as Effect.Effect<A, E>

type Seeded = Pick<PayloadOf<"workspace.create">, "allowHome" | "includeIgnored" | "seedPath"> & {
  readonly git?: PayloadOf<"workspace.create">["git"]
}

/** Sends the seed of a request. Gives where it is, here and there. */
const seedOf = (pyro: PyroService, { allowHome, git = "none", includeIgnored, seedPath }: Seeded) =>
  Effect.gen(function*() {
    if (seedPath === undefined) return undefined
    const { sendSource } = yield* loadPack
    return yield* sendSource(pyro, { field: "seed_path", path: seedPath, git, includeIgnored, allowHome })
  })

/** The real path of a file or directory that the caller may read. */
const readable = (field: string, file: string) =>
  Effect.gen(function*() {
    const real = realPath(file)
    if (real === undefined) return yield* new InvalidRequest({ field, detail: `${file} is not there` })
    yield* demandReadable(field, real)
    return real
  })

const sendingOne = (pyro: PyroService, field: string, file: string) =>
  Effect.gen(function*() {
    const real = yield* readable(field, file)
    const { sendDirectory, sendFile } = yield* loadPack
    return yield* isDirectory(real) ? sendDirectory(pyro, real) : sendFile(pyro, real)
  })

/** A creation, with its seed, its Dockerfile and its devcontainer.json. */
const create = (pyro: PyroService, of: SourcesOf): PyroService["workspace"]["create"] => (payload) => {
  const { dockerfile, devcontainer, seedPath } = payload
  if ((seedPath ?? dockerfile ?? devcontainer) === undefined) return pyro.workspace.create(payload)
  let source: string | undefined
  const prepare = Effect.gen(function*() {
    const seed = yield* seedOf(pyro, payload)
    const built = dockerfile === undefined && devcontainer === undefined
      ? undefined
      : yield* (yield* loadContext).sendContext(pyro, payload)
    source = seed?.source ?? built?.source
    return { ...payload, ...built?.fields, ...(seed === undefined ? {} : { seedPath: seed.spool }) }
  })
  return prepared(
    pyro,
    prepare,
    (payload) =>
      Stream.tap(pyro.workspace.create(payload), (event) =>
        event._tag === "Ready" && source !== undefined
          ? Effect.ignore(rememberSource(of, event.workspace.id, source))
          : Effect.void)
  )
}

/** An archive of an image: one file, or a layout in a directory. */
const archiveOf = (pyro: PyroService, { name, ...payload }: PayloadOf<"env.import">) =>
  Effect.gen(function*() {
    const archive = parseArchive(payload.source)
    if (archive !== undefined && archive.path === "") {
      return yield* new InvalidRequest({
        field: "source",
        detail: "an engine of this computer is not read for another machine; give its archive as the standard input"
      })
    }
    const file = archive?.path ?? payload.source
    const { source, spool } = yield* sendingOne(pyro, "source", file)
    const image = archive?.image === undefined ? "" : `:${archive.image}`
    return {
      ...payload,
      name: name ?? environmentOfFile(source),
      source: archive === undefined ? spool : `${archive.transport}:@${spool.slice("spool:".length)}${image}`
    }
  })

/** Calls of the same types as those of `PyroService`. */
interface ReadingCalls {
  readonly create: PyroService["workspace"]["create"]
  readonly run: PyroService["run"]
  readonly push: PyroService["workspace"]["sync"]["push"]
  readonly importing: PyroService["workspace"]["import"]
  readonly importSaved: PyroService["saved"]["import"]
  readonly importEnvironment: PyroService["env"]["import"]
  readonly build: PyroService["env"]["build"]
}

/** The calls of pyro on another machine that read files of this one. */
export const readingCalls = (pyro: PyroService, of: SourcesOf): ReadingCalls => ({
  create: create(pyro, of),
  run: (payload, input) =>
    payload.seedPath === undefined ? pyro.run(payload, input) : prepared(
      pyro,
      Effect.map(
        seedOf(pyro, payload),
        (seed) => seed === undefined ? payload : { ...payload, seedPath: seed.spool }
      ),
      (payload) => pyro.run(payload, input)
    ),
  push: (payload) =>
    preparedAnswer(
      pyro,
      Effect.gen(function*() {
        const { sendSource } = yield* loadPack
        const { allowHome, includeIgnored, sourcePath: path } = payload
        const asked = { field: "source_path", path, git: "none", includeIgnored, allowHome } as const
        return { ...payload, sourcePath: (yield* sendSource(pyro, asked)).spool }
      }),
      pyro.workspace.sync.push
    ),
  importing: (payload) => {
    if (payload.sourcePath === "-") return pyro.workspace.import(payload)
    let left: Sent["left"]
    const prepare = Effect.map(sendingOne(pyro, "source_path", payload.sourcePath), (sent) => {
      left = sent.left
      return { ...payload, sourcePath: sent.spool }
    })
    return Effect.map(preparedAnswer(pyro, prepare, pyro.workspace.import), (imported) => ({
      ...imported,
      skippedCount: imported.skippedCount + (left ?? []).length,
      skipped: [...imported.skipped, ...left ?? []].slice(0, MOST_SKIPPED)
    }))
  },
  importSaved: (payload) =>
    prepared(
      pyro,
      Effect.map(
        sendingOne(pyro, "source_path", payload.sourcePath),
        ({ spool }) => ({ ...payload, sourcePath: spool })
      ),
      pyro.saved.import
    ),
  importEnvironment: (payload, input) =>
    payload.source === "-"
      ? pyro.env.import(payload, input)
      : prepared(pyro, archiveOf(pyro, payload), (payload) => pyro.env.import(payload)),
  build: (payload) =>
    (payload.dockerfile ?? payload.devcontainer) === undefined ? pyro.env.build(payload) : prepared(
      pyro,
      Effect.gen(function*() {
        const { sendContext } = yield* loadContext
        const { fields } = yield* sendContext(pyro, { ...payload, git: "none" })
        return { ...payload, ...fields }
      }),
      pyro.env.build
    )
})
