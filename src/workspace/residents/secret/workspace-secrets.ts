import { Effect, Redacted, type Scope } from "effect"
import { InvalidRequest, type NoSpace, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { mappingOf, MAX_SECRETS, type Secrets } from "../../../contract/rows/secret-fields.ts"
import { redactText } from "../../../redaction/redact.ts"
import { type NamedSecret, SecretRegistry, type SecretSet, secretSet } from "../../../redaction/secrets.ts"
import type { SecretMount } from "./mount.ts"
import { readSecrets, type StoredSecrets, writeSecrets } from "./secret-file.ts"

/** Maximum number of former values that pyro removes from output. The oldest go first. */
const MAX_FORMER = 64

/** Change of a workspace's secrets. */
export interface SecretChange {
  readonly secrets?: Secrets
  readonly clearSecrets?: ReadonlyArray<string>
}

/** Environment variables of a command, by name. */
export type Variables = Readonly<Record<string, string>>

const plain = (secrets: Secrets): ReadonlyArray<NamedSecret> =>
  Object.entries(secrets).map(([name, value]) => ({ name, value: Redacted.value(value) }))

/** The secrets of a new workspace, as its folder stores them. */
export const initialSecrets = (secrets: Secrets = {}): StoredSecrets => ({ secrets: plain(secrets), former: [] })

/** The former values, each once, without present values. */
const formerWith = (secrets: ReadonlyArray<NamedSecret>, former: ReadonlyArray<NamedSecret>) => {
  const known = new Set(secrets.map(({ value }) => value))
  return former.filter(({ value }) => !known.has(value) && known.add(value)).slice(-MAX_FORMER)
}

/** The secrets of one workspace in this process. Each change writes the file first. */
export class WorkspaceSecrets {
  readonly #folder: string
  #stored: StoredSecrets
  #set: SecretSet | undefined

  constructor(folder: string, stored: StoredSecrets) {
    this.#folder = folder
    this.#stored = stored
    this.#set = searchOf(stored)
  }

  get names(): ReadonlyArray<string> {
    return this.#stored.secrets.map(({ name }) => name).sort()
  }

  /** The value of a secret. */
  valueOf(name: string): string | undefined {
    return this.#stored.secrets.find((one) => one.name === name)?.value
  }

  /** The search for all values, including former ones. Each change makes a new object. */
  get set(): SecretSet | undefined {
    return this.#set
  }

  /** Text without secrets. */
  redact(text: string): string {
    return this.#set === undefined ? text : redactText(this.#set, text)
  }

  /** Environment variables of a command that asks for secrets. */
  variables(mappings: ReadonlyArray<string> = []): Effect.Effect<Variables, InvalidRequest> {
    return Effect.map(
      Effect.forEach(mappings, (item) => {
        const { name, to = name } = mappingOf(item)
        return Effect.map(this.#demand(name, "secret_env"), (value) => [to, value] as const)
      }),
      Object.fromEntries
    )
  }

  /** Files of a command that asks for secrets. */
  mounts(mappings: ReadonlyArray<string> = []): Effect.Effect<ReadonlyArray<SecretMount>, InvalidRequest> {
    return Effect.forEach(mappings, (item) => {
      const { name, to = `/run/secrets/${name}` } = mappingOf(item)
      return Effect.map(this.#demand(name, "secret_mount"), (value) => ({ path: to, value }))
    })
  }

  #demand(name: string, field: string): Effect.Effect<string, InvalidRequest> {
    const value = this.valueOf(name)
    if (value !== undefined) return Effect.succeed(value)
    const known = this.names.length === 0 ? "there are none" : `there are ${this.names.join(", ")}`
    return new InvalidRequest({
      field,
      detail: `there is no secret ${name}; ${known}. Add the secret: pyro update NAME --secret-env ${name}`
    })
  }

  /** Sets, replaces and removes secrets. */
  change(
    { clearSecrets = [], secrets = {} }: SecretChange
  ): Effect.Effect<void, InvalidRequest | NoSpace | StateDirectoryUnusable> {
    return Effect.suspend((): Effect.Effect<void, InvalidRequest | NoSpace | StateDirectoryUnusable> => {
      const added = plain(secrets)
      const unknown = clearSecrets.find((name) => !this.names.includes(name))
      if (unknown !== undefined) {
        return new InvalidRequest({ field: "clear_secrets", detail: `there is no secret ${unknown}` })
      }
      const isGone = ({ name }: NamedSecret) => clearSecrets.includes(name) || added.some((one) => one.name === name)
      const kept = [...this.#stored.secrets.filter((one) => !isGone(one)), ...added]
      if (kept.length > MAX_SECRETS) {
        return new InvalidRequest({ field: "secrets", detail: `a workspace has at most ${MAX_SECRETS} secrets` })
      }
      const gone = this.#stored.secrets.filter(isGone)
      return this.#store({ secrets: kept, former: formerWith(kept, [...this.#stored.former, ...gone]) })
    })
  }

  /** Adds the secrets of a snapshot, because the guest has them again. A present secret keeps its value. */
  inherit(folder: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> {
    return Effect.flatMap(readSecrets(folder), (theirs) => {
      const names = this.names
      const secrets = [...this.#stored.secrets, ...theirs.secrets.filter(({ name }) => !names.includes(name))]
      const former = [...this.#stored.former, ...theirs.former, ...theirs.secrets]
      return this.#store({ secrets, former: formerWith(secrets, former) })
    })
  }

  /** Forgets the former values, because nothing is left of the guest that had them. */
  get forgetFormer(): Effect.Effect<void, NoSpace | StateDirectoryUnusable> {
    return Effect.suspend(() =>
      this.#stored.former.length === 0 ? Effect.void : this.#store({ ...this.#stored, former: [] })
    )
  }

  #store(stored: StoredSecrets) {
    return Effect.map(writeSecrets(this.#folder, stored), () => {
      this.#stored = stored
      this.#set = searchOf(stored)
    })
  }
}

const searchOf = ({ former, secrets }: StoredSecrets) => secretSet([...secrets, ...former])

/** The secrets of a folder, which this process removes from its own log until the Scope closes. */
export const openSecrets = (
  folder: string
): Effect.Effect<WorkspaceSecrets, NoSpace | StateDirectoryUnusable, SecretRegistry | Scope.Scope> =>
  Effect.map(readSecrets(folder), (stored) => new WorkspaceSecrets(folder, stored)).pipe(
    Effect.tap((secrets) => Effect.flatMap(SecretRegistry, ({ register }) => register(folder, secrets)))
  )

/** Secrets that no folder stores. */
export const unstoredSecrets = (secrets: Secrets = {}): WorkspaceSecrets =>
  new WorkspaceSecrets("", initialSecrets(secrets))
