import { Context, Effect, Layer, type Scope } from "effect"
import { acquirePlain } from "../../system/waits/effects.ts"
import { answerForms, secretForms } from "./forms.ts"
import { Matcher } from "./search.ts"

/** A secret with its value. */
export interface NamedSecret {
  readonly name: string
  readonly value: string
}

/** A set of named secrets, and the search for their values. */
export interface SecretSet {
  readonly names: ReadonlyArray<string>
  readonly matcher: Matcher
  /** Takes the place of each byte of a value, so that lengths stay. @default a marker takes the place of the value */
  readonly fill?: number
}

/** A value without the newlines at its end: programs drop them when they read a file. */
export const trimmed = (value: string): string => value.replace(/[\r\n]+$/, "")

const setOf = (
  secrets: ReadonlyArray<NamedSecret>,
  formsOf: (value: string) => ReadonlyArray<Uint8Array>
): Pick<SecretSet, "matcher" | "names"> => ({
  names: secrets.map(({ name }) => name),
  matcher: new Matcher(secrets.flatMap(({ value }, owner) => formsOf(value).map((bytes) => ({ bytes, owner }))))
})

/** The search for secrets, or none without secrets. */
export const secretSet = (secrets: ReadonlyArray<NamedSecret>): SecretSet | undefined => {
  const searched = secrets.map(({ name, value }) => ({ name, value: trimmed(value) })).filter(({ value }) =>
    value !== ""
  )
  return searched.length === 0 ? undefined : setOf(searched, secretForms)
}

/** Takes the place of a value's bytes in a host's answer: lengths, ranges and frames stay as the host wrote them. */
const FILL = "*".charCodeAt(0)

/** The search for values of headers, whose characters are bytes, in the answers of the host that got them. */
export const answerSet = (secrets: ReadonlyArray<NamedSecret>): SecretSet => ({
  ...setOf(secrets, answerForms),
  fill: FILL
})

interface Owner {
  readonly set: SecretSet | undefined
}

/** The secrets of an installation, by the folder of their workspace. */
export class SecretRegistry extends Context.Service<SecretRegistry, {
  /** Registers secrets: the installation removes them from its log and from records, until the Scope closes. */
  readonly register: (folder: string, owner: Owner) => Effect.Effect<void, never, Scope.Scope>
  /** The searches of all workspaces. */
  readonly sets: () => ReadonlyArray<SecretSet>
  /** The search of the workspace with this folder, or none. */
  readonly setsOf: (folder: string) => ReadonlyArray<SecretSet>
}>()("pyro/redaction/SecretRegistry") {
  static readonly layer = Layer.sync(SecretRegistry, () => make())
}

const make = (): SecretRegistry["Service"] => {
  const owners = new Map<string, Owner>()
  const setsOf = (owner: Owner | undefined) => owner?.set === undefined ? [] : [owner.set]
  return {
    register: (folder, owner) =>
      Effect.asVoid(acquirePlain(Effect.sync(() => owners.set(folder, owner)), () => {
        if (owners.get(folder) === owner) owners.delete(folder)
      })),
    sets: () => [...owners.values()].flatMap(setsOf),
    setsOf: (folder) => setsOf(owners.get(folder))
  }
}
