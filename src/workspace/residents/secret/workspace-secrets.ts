import { Effect, Redacted, type Scope } from "effect"
import { InvalidRequest, type NoSpace, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { call, option } from "../../../contract/errors/next-step.ts"
import { mappingOf, MAX_SECRETS, type Secrets } from "../../../contract/rows/secret-fields.ts"
import { secretTargetOf } from "../../../contract/rows/secret-target.ts"
import { didYouMean, similarTo } from "../../../contract/text/similar.ts"
import { redactText } from "../../../lib/redaction/redact.ts"
import { type NamedSecret, SecretRegistry, type SecretSet, secretSet } from "../../../lib/redaction/secrets.ts"
import type { Variables } from "../program/variables.ts"
import type { SecretMount } from "./mount.ts"
import {
  formerWith,
  knownFrom,
  readSecrets,
  type StoredSecret,
  type StoredSecrets,
  writeSecrets
} from "./secret-file.ts"

/** Secrets of a request, and who gets their values. */
interface GivenSecrets {
  readonly secrets?: Secrets | undefined
  /** Hosts that get secrets. */
  readonly secretHttp?: ReadonlyArray<string> | undefined
  /** Names of secrets whose values commands can have although hosts get them. */
  readonly secretCommands?: ReadonlyArray<string> | undefined
}

/** Change of a workspace's secrets. */
export interface SecretChange extends GivenSecrets {
  readonly clearSecrets?: ReadonlyArray<string>
}

const plain = (secrets: Secrets): ReadonlyArray<NamedSecret> =>
  Object.entries(secrets).map(([name, value]) => ({ name, value: Redacted.value(value) }))

/**
 * Whether commands can have the value of a secret after a request. A request that names a host for the secret, and does not name the secret for commands,
 * takes the value from commands. Undefined: the request does not say.
 */
const givenToCommands = (name: string, { secretCommands = [], secretHttp = [] }: GivenSecrets): boolean | undefined =>
  secretCommands.includes(name)
    ? true
    : secretHttp.some((item) => secretTargetOf(item)?.name === name)
    ? false
    : undefined

/** The secrets of a new workspace, as its folder stores them. */
export const initialSecrets = (given: GivenSecrets): StoredSecrets => ({
  secrets: plain(given.secrets ?? {}).map((one) => ({ ...one, commands: givenToCommands(one.name, given) ?? true })),
  former: []
})

/** The search for the values of a request. */
export const searchOfGiven = ({ secrets = {} }: GivenSecrets) => secretSet(plain(secrets))

/** The secrets of one workspace in this process. Each change writes the file first. */
export class WorkspaceSecrets {
  readonly #folder: string
  #stored: StoredSecrets
  #set: SecretSet | undefined
  #placeholderOf: (name: string) => string | undefined = () => undefined

  constructor(folder: string, stored: StoredSecrets) {
    this.#folder = folder
    this.#stored = stored
    this.#set = searchOf(stored)
  }

  get names(): ReadonlyArray<string> {
    return this.#stored.secrets.map(({ name }) => name).sort()
  }

  /** Names of secrets whose values commands can have. */
  get commandNames(): ReadonlyArray<string> {
    return this.#stored.secrets.filter(({ commands }) => commands).map(({ name }) => name).sort()
  }

  /** Commands have these placeholders of secrets whose values only hosts get. */
  set placeholderOf(placeholderOf: (name: string) => string | undefined) {
    this.#placeholderOf = placeholderOf
  }

  /** The value of a secret, for its hosts. */
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
    const found = this.#stored.secrets.find((one) => one.name === name)
    const given = found?.commands === false ? this.#placeholderOf(name) : found?.value
    if (given !== undefined) return Effect.succeed(given)
    if (found !== undefined) {
      return new InvalidRequest({
        field,
        detail: `only hosts get the secret ${name}, and no host does`,
        next: [call("Let commands have the value", "workspace.update", { secret_commands: [name] })]
      })
    }
    const known = this.names.length === 0 ? "there are none" : `there are ${this.names.join(", ")}`
    return new InvalidRequest({
      field,
      detail: `there is no secret ${name}; ${known}${didYouMean(similarTo(name, this.names))}`,
      next: [call("Add the secret", "workspace.update", {}, "secrets")]
    })
  }

  /** Sets, replaces and removes secrets. */
  change(request: SecretChange): Effect.Effect<void, InvalidRequest | NoSpace | StateDirectoryUnusable> {
    return Effect.suspend((): Effect.Effect<void, InvalidRequest | NoSpace | StateDirectoryUnusable> => {
      const { clearSecrets = [], secretCommands = [], secrets = {} } = request
      const before = new Map(
        this.#stored.secrets.filter(({ name }) => !clearSecrets.includes(name)).map((one) => [one.name, one.commands])
      )
      const added = plain(secrets).map((one): StoredSecret => ({ ...one, commands: before.get(one.name) ?? true }))
      const unknown = clearSecrets.find((name) => !this.names.includes(name))
      if (unknown !== undefined) {
        return new InvalidRequest({ field: "clear_secrets", detail: `there is no secret ${unknown}` })
      }
      const isGone = ({ name }: NamedSecret) => clearSecrets.includes(name) || added.some((one) => one.name === name)
      const kept = [...this.#stored.secrets.filter((one) => !isGone(one)), ...added].map((one): StoredSecret => ({
        ...one,
        commands: givenToCommands(one.name, request) ?? one.commands
      }))
      const absent = secretCommands.find((name) => !kept.some((one) => one.name === name))
      if (absent !== undefined) {
        return new InvalidRequest({
          field: "secret_commands",
          detail: `there is no secret ${absent}${didYouMean(similarTo(absent, kept.map(({ name }) => name)))}`,
          next: [option("Add it", "secrets")]
        })
      }
      if (kept.length > MAX_SECRETS) {
        return new InvalidRequest({ field: "secrets", detail: `a workspace has at most ${MAX_SECRETS} secrets` })
      }
      const gone = this.#stored.secrets.filter(isGone)
      return this.#store({ secrets: kept, former: formerWith(kept, [...this.#stored.former, ...gone]) })
    })
  }

  /** Removes the values of a snapshot from output, because the guest has them again. Commands get the present secrets alone. */
  inherit(folder: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> {
    return Effect.flatMap(readSecrets(folder), (theirs) => this.#store(knownFrom(this.#stored, theirs)))
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
export const unstoredSecrets = (given: GivenSecrets = {}): WorkspaceSecrets =>
  new WorkspaceSecrets("", initialSecrets(given))
