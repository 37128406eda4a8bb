import { Effect, Option, Schema } from "effect"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import * as path from "node:path"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { words } from "../contract/errors/next-step.ts"
import { Identity, IDENTITY_NAME, ROLES } from "../contract/wire/identity.ts"
import { isToken } from "../contract/wire/token.ts"
import { readJson, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { ensureFolder, exists, listIfPresent, removeFile } from "../system/files/entries.ts"
import { toHostErrorOf } from "../system/files/failure.ts"
import { Paths } from "../system/files/Paths.ts"
import { nowIso, nowMs } from "../system/waits/time.ts"

/** Random bytes of a token. So many cannot be guessed, and so a fast hash is enough. */
const TOKEN_BYTES = 32

/** A token on disk: its hash, and what it is for. The token itself is nowhere. */
const Stored = Schema.Struct({
  format: Schema.Literal(1),
  /** Tells tokens of one name apart. It is no secret. */
  id: Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/)),
  name: Schema.String.check(Schema.isPattern(IDENTITY_NAME)),
  /** SHA-256 of the token, in hexadecimal digits. */
  hash: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)),
  tenant: Identity.fields.tenant,
  role: Schema.Literals(ROLES),
  /** ISO 8601. */
  createdAt: Schema.String,
  /** ISO 8601. Absent: never. */
  expiresAt: Schema.optionalKey(Schema.String)
})
export type StoredToken = typeof Stored.Type

const END = ".json"

const files = Effect.map(Paths, ({ stateDir }) => {
  const folder = path.join(stateDir, "serve", "tokens")
  return { stateDir, folder, fileOf: (name: string) => path.join(folder, `${name}${END}`) }
})

const hashOf = (token: string) => createHash("sha256").update(token).digest()

/** When a token ends: a time from now (`12h`, `90d`), a date, or `never`. */
const endOf = (expires: string, now: number): Effect.Effect<string | undefined, InvalidRequest> => {
  if (expires === "never") return Effect.undefined
  const [, digits, unit] = /^(\d{1,6})([mhd])$/.exec(expires) ?? []
  const factor = { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ""]
  const date = factor === undefined
    ? /^\d{4}-\d\d-\d\d/.test(expires) ? Date.parse(expires) : NaN
    : now + Number(digits) * factor
  if (Number.isNaN(date)) {
    return new InvalidRequest({ field: "--expires", detail: "must be a time such as 12h or 90d, a date, or never" })
  }
  return date > now
    ? Effect.succeed(new Date(date).toISOString())
    : new InvalidRequest({ field: "--expires", detail: `${expires} is over` })
}

interface NewToken {
  readonly name: string
  readonly role: Identity["role"]
  /** @default the name */
  readonly tenant?: string | undefined
  readonly expires: string
}

/** Makes a token. The result has it, and nothing else ever does. */
export const addToken = ({ expires, name, role, tenant = name }: NewToken) =>
  Effect.gen(function*() {
    for (const [field, value] of Object.entries({ name, tenant })) {
      if (!IDENTITY_NAME.test(value)) {
        return yield* new InvalidRequest({
          field,
          detail: "has 1 to 63 lower-case letters, digits, '.', '_' and '-', and begins with a letter or a digit"
        })
      }
    }
    const { fileOf, folder, stateDir } = yield* files
    if (exists(fileOf(name))) {
      return yield* new InvalidRequest({
        field: "name",
        detail: `there is a token ${name} already`,
        next: [words(`Choose another name, or revoke it first: pyro serve token revoke ${name}`)]
      })
    }
    const expiresAt = yield* endOf(expires, yield* nowMs)
    const token = `pyro_${randomBytes(TOKEN_BYTES).toString("base64url")}`
    const stored: StoredToken = {
      format: 1,
      id: randomBytes(8).toString("hex"),
      name,
      hash: hashOf(token).toString("hex"),
      tenant,
      role,
      createdAt: yield* nowIso,
      ...(expiresAt === undefined ? {} : { expiresAt })
    }
    yield* Effect.mapError(
      Effect.andThen(ensureFolder(folder), writeJsonAtomic(fileOf(name), Stored, stored, { durable: true })),
      toHostErrorOf(stateDir)
    )
    return { token, stored }
  })

/** Every token, by name. A damaged one lets nobody in, and is left out. */
export const listTokens = Effect.gen(function*() {
  const { fileOf, folder, stateDir } = yield* files
  const entries = yield* Effect.mapError(listIfPresent(folder), toHostErrorOf(stateDir))
  const names = entries.filter((entry) => entry.endsWith(END)).map((entry) => entry.slice(0, -END.length)).sort()
  const found = yield* Effect.forEach(
    names.filter((name) => IDENTITY_NAME.test(name)),
    (name) =>
      Effect.catch(
        readJson(fileOf(name), Stored),
        ({ message }) => Effect.as(Effect.logWarning(message), Option.none<StoredToken>())
      )
  )
  return found.flatMap(Option.toArray)
})

/** Removes a token. The doors of this machine end its connections within a second. */
export const revokeToken = (name: string) =>
  Effect.gen(function*() {
    const { fileOf, stateDir } = yield* files
    if (!IDENTITY_NAME.test(name) || !exists(fileOf(name))) {
      return yield* new InvalidRequest({
        field: "name",
        detail: `there is no token ${name}`,
        next: [words("List the tokens: pyro serve token list")]
      })
    }
    yield* Effect.mapError(removeFile(fileOf(name)), toHostErrorOf(stateDir))
  })

/** The folder of tokens, which changes whenever a token does. */
export const tokenFolder = Effect.map(files, ({ folder }) => folder)

/** Whether a token is over. */
export const isExpired = ({ expiresAt }: Pick<StoredToken, "expiresAt">, now: number) =>
  expiresAt !== undefined && Date.parse(expiresAt) <= now

/** The token of a text. Compares with each in the same time, whichever it is. */
export const matching = (tokens: ReadonlyArray<StoredToken>, text: string): StoredToken | undefined => {
  if (!isToken(text)) return undefined
  const hash = hashOf(text)
  let found: StoredToken | undefined
  for (const one of tokens) if (timingSafeEqual(hash, Buffer.from(one.hash, "hex"))) found = one
  return found
}
