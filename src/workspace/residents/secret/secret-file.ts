import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { exists, removeFile } from "../../../system/files/entries.ts"
import { FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"
import { readHeaderSecrets } from "./header-secret-file.ts"

const NamedSecret = Schema.Struct({ name: Schema.String, value: Schema.String })

const WrittenSecret = Schema.Struct({
  ...NamedSecret.fields,
  /** Whether commands can have the value. Absent in files of older versions: if no host gets the value. */
  commands: Schema.optional(Schema.Boolean)
})

/** The secrets of a workspace or of a snapshot on disk, in a file that only its owner can read. */
const SecretFile = Schema.Struct({
  format: Schema.Literal(1),
  secrets: Schema.Array(WrittenSecret),
  /** Former values, which the guest may still have. pyro only removes them from output. */
  former: Schema.Array(NamedSecret)
})

/** A secret of a workspace. */
export interface StoredSecret {
  readonly name: string
  readonly value: string
  /** Whether commands can have the value. Else only hosts get the value, and commands have a placeholder. */
  readonly commands: boolean
}

export interface StoredSecrets extends Pick<typeof SecretFile.Type, "former"> {
  readonly secrets: ReadonlyArray<StoredSecret>
}

/** Maximum number of former values that pyro removes from output. The oldest go first. */
const MAX_FORMER = 64

type Named = typeof NamedSecret.Type

/** The former values, each once, without present values. */
export const formerWith = (secrets: ReadonlyArray<Named>, former: ReadonlyArray<Named>) => {
  const known = new Set(secrets.map(({ value }) => value))
  return former.filter(({ value }) => !known.has(value) && known.add(value)).slice(-MAX_FORMER)
}

/**
 * The present secrets, with the values of a snapshot that a guest continues from as former ones. The person may have removed a secret since the snapshot, and
 * a model may be the one who goes back.
 */
export const knownFrom = ({ former, secrets }: StoredSecrets, theirs: StoredSecrets): StoredSecrets => ({
  secrets,
  former: formerWith(secrets, [...former, ...theirs.former, ...theirs.secrets])
})

const noSecrets: StoredSecrets = { secrets: [], former: [] }

const fileOf = (folder: string) => path.join(folder, "secrets.json")

type SecretFileFailed = NoSpace | StateDirectoryUnusable

export const readSecrets = (folder: string): Effect.Effect<StoredSecrets, SecretFileFailed> =>
  Effect.flatMap(readWritten(folder), ({ former, secrets }) => {
    if (secrets.every(({ commands }) => commands !== undefined)) {
      return Effect.succeed({ secrets: secrets as StoredSecrets["secrets"], former })
    }
    return Effect.map(readHeaderSecrets(folder), ({ bindings, former: removed = [] }) => {
      const bound = new Set([...bindings, ...removed].map(({ name }) => name))
      return { secrets: secrets.map((one) => ({ ...one, commands: one.commands ?? !bound.has(one.name) })), former }
    })
  })

const readWritten = (folder: string) =>
  readJson(fileOf(folder), SecretFile).pipe(
    Effect.map(Option.getOrElse(() => ({ secrets: [], former: [] }))),
    // The message of a JSON parser quotes the file.
    Effect.mapError(({ operation, path }) =>
      new FileFailed({ operation, path, detail: "the file of secrets cannot be read" })
    ),
    Effect.mapError(toHostErrorOf(folder))
  )

/** Writes the secrets by one rename. Without secrets there is no file. */
export const writeSecrets = (folder: string, stored: StoredSecrets): Effect.Effect<void, SecretFileFailed> =>
  (stored.secrets.length + stored.former.length === 0
    ? removeFile(fileOf(folder))
    : writeJsonAtomic(fileOf(folder), SecretFile, { format: 1 as const, ...stored }, { durable: true })).pipe(
      Effect.mapError(toHostErrorOf(folder))
    )

export const removeSecrets = (folder: string): Effect.Effect<void, SecretFileFailed> => writeSecrets(folder, noSecrets)

/** Whether the folder of a workspace or of a snapshot has secrets. */
export const holdsSecrets = (folder: string): boolean => exists(fileOf(folder))

/** Gives the folder of a snapshot's copy the present secrets of a workspace. */
export const presentSecrets = (workspace: string, copy: string): Effect.Effect<void, SecretFileFailed> =>
  Effect.flatMap(
    Effect.zip(readSecrets(workspace), readSecrets(copy)),
    ([present, theirs]) => writeSecrets(copy, knownFrom(present, theirs))
  )

/** Copies the secrets of a folder to another folder. */
export const copySecrets = (from: string, to: string): Effect.Effect<void, SecretFileFailed> =>
  Effect.flatMap(readSecrets(from), (stored) => writeSecrets(to, stored))
