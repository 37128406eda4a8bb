import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { removeFile } from "../../../system/files/entries.ts"
import { FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"

const Binding = Schema.Struct({
  name: Schema.String,
  host: Schema.String,
  port: Schema.Int,
  header: Schema.optional(Schema.String),
  /** Repositories of a registry whose pulls alone get the secret. */
  pulls: Schema.optional(Schema.Array(Schema.String)),
  placeholder: Schema.String
})
/** A secret of a host, without its value. */
export type Binding = typeof Binding.Type

/** Hosts of a workspace's secrets, and the authority that the guest trusts, in a file that only its owner can read. */
const HeaderSecretFile = Schema.Struct({
  format: Schema.Literal(1),
  bindings: Schema.Array(Binding),
  /** Removed bindings. The guest may still send their placeholders, which pyro then denies. */
  former: Schema.optional(Schema.Array(Binding)),
  authority: Schema.optional(
    Schema.Struct({
      /** Hosts that the authority may sign for. */
      hosts: Schema.Array(Schema.String),
      certificate: Schema.String,
      key: Schema.String
    })
  )
})
export type StoredHeaderSecrets = Omit<typeof HeaderSecretFile.Type, "format">

const fileOf = (folder: string) => path.join(folder, "secret-http.json")

export const readHeaderSecrets = (
  folder: string
): Effect.Effect<StoredHeaderSecrets, NoSpace | StateDirectoryUnusable> =>
  readJson(fileOf(folder), HeaderSecretFile).pipe(
    Effect.map(Option.getOrElse((): StoredHeaderSecrets => ({ bindings: [] }))),
    // The message of a JSON parser quotes the file.
    Effect.mapError(({ operation, path }) =>
      new FileFailed({ operation, path, detail: "the file of hosts' secrets cannot be read" })
    ),
    Effect.mapError(toHostErrorOf(folder))
  )

export const writeHeaderSecrets = (
  folder: string,
  stored: StoredHeaderSecrets
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  writeJsonAtomic(fileOf(folder), HeaderSecretFile, { format: 1 as const, ...stored }, { durable: true }).pipe(
    Effect.mapError(toHostErrorOf(folder))
  )

/** Copies the hosts of secrets and the authority to another folder: programs in a copied memory continue with both. */
export const copyHeaderSecrets = (from: string, to: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.flatMap(
    readHeaderSecrets(from),
    (stored) =>
      stored.bindings.length + (stored.former ?? []).length === 0 ? Effect.void : writeHeaderSecrets(to, stored)
  )

export const removeHeaderSecrets = (folder: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  removeFile(fileOf(folder)).pipe(Effect.mapError(toHostErrorOf(folder)))
