import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { ContextUnknown, InvalidRequest, StateDirectoryUnusable } from "../contract/errors/errors.ts"
import { command } from "../contract/errors/next-step.ts"
import { sshAddress } from "../contract/text/ssh-address.ts"
import { isToken } from "../contract/wire/token.ts"
import { readJson, writeFileAtomic, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { readIfReadable } from "../system/files/content.ts"
import { ensureFolder, exists, listIfPresent, removeFile, statFile } from "../system/files/entries.ts"
import { FileFailed, toHostError, toHostErrorOf } from "../system/files/failure.ts"
import { Paths } from "../system/files/Paths.ts"
import { setting } from "../system/settings/config.ts"
import { doorUrl, isDoorUrl } from "./door-url.ts"

/** The name of this machine, which no context has. */
export const LOCAL = "local"

/** How a machine is reached. */
export interface RemoteContext {
  readonly name: string
  /** `ssh://[USER@]HOST[:PORT]`, or `wss://HOST[:PORT]` of a door */
  readonly url: string
  /** How pyro is started there, for the shell of that machine. @default pyro */
  readonly command?: string
  /** Files of this computer, for a door: certificates of its authority, and a certificate and a key of this client. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** One file for each context, so that two commands never write the same one. Lower case, for file systems that know no other. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** A line of the other machine's shell, of at most 4096 characters. */
const COMMAND = /^(?=.*\S)\P{Cc}{1,4096}$/u

const Stored = Schema.Struct({
  format: Schema.Literal(1),
  url: Schema.String,
  command: Schema.optionalKey(Schema.String),
  ca: Schema.optionalKey(Schema.String),
  cert: Schema.optionalKey(Schema.String),
  key: Schema.optionalKey(Schema.String)
})

const Current = Schema.Struct({ format: Schema.Literal(1), name: Schema.String })

const files = Effect.map(Effect.provide(Paths, Paths.layer), ({ stateDir }) => {
  const folder = path.join(stateDir, "contexts")
  return {
    stateDir,
    folder,
    current: path.join(folder, CURRENT),
    fileOf: (name: string) => path.join(folder, `${name}${END}`),
    /** The token for a door. No other user may read it. */
    tokenOf: (name: string) => path.join(folder, `${name}.token`)
  }
})

/** Name of the file with the chosen context: no context's own file is called like it. */
export const CURRENT = "current"
const END = ".json"

const isName = (name: string) => NAME.test(name) && name !== LOCAL

const checkName = (name: string) =>
  isName(name)
    ? Effect.void
    : new InvalidRequest({
      field: "name",
      detail: name === LOCAL
        ? `${LOCAL} is this machine`
        : "a name has 1 to 63 lower-case letters, digits, '.', '_' and '-', and begins with a letter or a digit"
    })

/** The error of a file that cannot be read, with the command that gets rid of it. */
const unreadable = (label: string, line: string) => (failure: FileFailed) => {
  const error = toHostError(failure)
  return error._tag === "StateDirectoryUnusable"
    ? new StateDirectoryUnusable({ path: error.path, detail: error.detail, next: [command(label, line)] })
    : error
}

/** Fails for anything else in the place of a file: a FIFO would never end. */
const demandFile = (file: string) =>
  Effect.flatMap(
    statFile(file),
    (stat) =>
      stat === undefined || stat.isFile()
        ? Effect.void
        : new FileFailed({ operation: "read", path: file, detail: "it is no file" })
  )

const read = (name: string) =>
  Effect.gen(function*() {
    const { fileOf } = yield* files
    const found = yield* Effect.mapError(
      Effect.andThen(demandFile(fileOf(name)), readJson(fileOf(name), Stored)),
      unreadable("Remove the context, and add it again", `pyro context remove ${name}`)
    )
    return Option.map(found, ({ format: _, ...rest }): RemoteContext => ({ name, ...rest }))
  })

const names = Effect.gen(function*() {
  const { folder } = yield* files
  const entries = yield* Effect.mapError(listIfPresent(folder), toHostError)
  return entries.filter((entry) => entry.endsWith(END)).map((entry) => entry.slice(0, -END.length)).filter(isName)
    .sort()
})

/** Names for the completion of a command line, that of this machine included. */
export const contextNames = Effect.map(Effect.orElseSucceed(names, () => []), (all) => [...all, LOCAL])

/** Every context, by name, and the errors of those that cannot be read. */
export const listContexts = Effect.gen(function*() {
  const [found, damaged] = yield* Effect.partition(yield* names, read)
  return { contexts: found.flatMap((one) => Option.toArray(one)), damaged }
})

const unknown = (context: string) => Effect.flatMap(names, (known) => new ContextUnknown({ context, known }))

/** A context. Fails with `ContextUnknown`. */
export const findContext = (name: string) =>
  Effect.flatMap(
    isName(name) ? read(name) : Effect.succeedNone,
    Option.match({ onNone: () => unknown(name), onSome: Effect.succeed })
  )

/** Why a context's way is none. */
const wrongWay = ({ ca, cert, command, key, token, url }: Omit<AddedContext, "name" | "replace">) => {
  const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })
  if (!isDoorUrl(url)) {
    const address = sshAddress(url)
    if (typeof address === "string") return wrong("url", `${address}; that of a server is wss://HOST[:PORT]`)
    if (command !== undefined && !COMMAND.test(command)) return wrong("command", "must be one line with a program")
    const [given] = Object.entries({ ca, cert, key, token_file: token }).find(([, one]) => one !== undefined) ?? []
    return given === undefined ? undefined : wrong(given, "is for an address of wss://; ssh has its own keys")
  }
  const address = doorUrl(url)
  if (typeof address === "string") return wrong("url", address)
  if (command !== undefined) return wrong("command", "is for an address of ssh://")
  if ((cert === undefined) !== (key === undefined)) return wrong("cert", "needs --key, and --key needs --cert")
  return token === undefined || isToken(token)
    ? undefined
    : wrong("token_file", "has no token of pyro, which begins with pyro_")
}

/** A context to add. */
type AddedContext = RemoteContext & {
  readonly replace: boolean
  /** The token for a door, which this computer keeps. @default that of PYRO_TOKEN */
  readonly token?: string | undefined
}

/** The kept token of a context. */
export const readToken = (name: string) => Effect.map(files, ({ tokenOf }) => readIfReadable(tokenOf(name))?.trim())

/** Adds a context, or replaces one with `replace`. Connects to nothing. */
export const addContext = ({ name, replace, token, ...way }: AddedContext) =>
  Effect.gen(function*() {
    yield* checkName(name)
    const wrong = wrongWay({ ...way, token })
    if (wrong !== undefined) return yield* wrong
    const { fileOf, folder, stateDir, tokenOf } = yield* files
    if (!replace && exists(fileOf(name))) {
      return yield* new InvalidRequest({ field: "name", detail: `${name} exists already; --replace changes it` })
    }
    yield* ensureFolder(folder).pipe(
      // The token of another machine goes first.
      Effect.andThen(removeFile(tokenOf(name))),
      Effect.andThen(writeJsonAtomic(fileOf(name), Stored, { format: 1, ...way })),
      Effect.andThen(token === undefined ? Effect.void : writeFileAtomic(tokenOf(name), `${token}\n`)),
      Effect.mapError(toHostErrorOf(stateDir))
    )
    return { name, ...way } satisfies RemoteContext
  })

/** Makes a context that of every command which names none. `local`: this machine again. */
export const useContext = (name: string) =>
  Effect.gen(function*() {
    const { current, folder, stateDir } = yield* files
    if (name !== LOCAL) yield* findContext(name)
    const change = name === LOCAL
      ? removeFile(current)
      : Effect.andThen(ensureFolder(folder), writeJsonAtomic(current, Current, { format: 1, name }))
    yield* Effect.mapError(change, toHostErrorOf(stateDir))
  })

/** The context that `useContext` has chosen. */
export const currentContext = Effect.gen(function*() {
  const { current } = yield* files
  const found = yield* Effect.mapError(readJson(current, Current), toHostError)
  return Option.getOrUndefined(found)?.name
})

/** Removes a context. Its machine keeps all workspaces. */
export const removeContext = (name: string) =>
  Effect.gen(function*() {
    const { current, fileOf, stateDir, tokenOf } = yield* files
    // A damaged one, too.
    if (!isName(name) || !exists(fileOf(name))) return yield* unknown(name)
    if ((yield* currentContext) === name) yield* Effect.mapError(removeFile(current), toHostErrorOf(stateDir))
    yield* Effect.mapError(
      Effect.andThen(removeFile(tokenOf(name)), removeFile(fileOf(name))),
      toHostErrorOf(stateDir)
    )
  })

/** The name that a command uses: the typed one, that of PYRO_CONTEXT, or the current one. Undefined: this machine. */
export const chosenName = (typed: string | undefined) =>
  Effect.gen(function*() {
    const name = typed ?? (yield* setting("PYRO_CONTEXT")) ?? (yield* currentContext)
    return name === LOCAL ? undefined : name
  })

/** The context that a command uses. Undefined: this machine. */
export const chosenContext = (typed: string | undefined) =>
  Effect.flatMap(chosenName(typed), (name) => name === undefined ? Effect.undefined : findContext(name))
