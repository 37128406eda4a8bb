import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { exists, removeFile } from "../../../system/files/entries.ts"
import { FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"

const NamedSecret = Schema.Struct({ name: Schema.String, value: Schema.String })

/** The secrets of a workspace or of a snapshot on disk, in a file that only its owner can read. */
const SecretFile = Schema.Struct({
  format: Schema.Literal(1),
  secrets: Schema.Array(NamedSecret),
  /** Former values, which the guest may still have. pyro only removes them from output. */
  former: Schema.Array(NamedSecret)
})
export type StoredSecrets = Pick<typeof SecretFile.Type, "former" | "secrets">

const noSecrets: StoredSecrets = { secrets: [], former: [] }

const fileOf = (folder: string) => path.join(folder, "secrets.json")

type SecretFileFailed = NoSpace | StateDirectoryUnusable

export const readSecrets = (folder: string): Effect.Effect<StoredSecrets, SecretFileFailed> =>
  readJson(fileOf(folder), SecretFile).pipe(
    Effect.map(Option.getOrElse(() => noSecrets)),
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

/** Copies the secrets of a folder to another folder. */
export const copySecrets = (from: string, to: string): Effect.Effect<void, SecretFileFailed> =>
  Effect.flatMap(readSecrets(from), (stored) => writeSecrets(to, stored))
