import { Effect, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import {
  EnvironmentNameTaken,
  InvalidRequest,
  type NoSpace,
  type StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import { isImageName } from "../../../contract/text/image-archive.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { sha256Text } from "../../../system/files/digest.ts"
import { ensureFolder, exists, listIfPresent, removeFile } from "../../../system/files/entries.ts"
import { type FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"
import { withLock } from "../../../system/files/lock.ts"
import { referenceFile } from "../../recipe/image-source.ts"
import { catalogue, type CatalogueEntry, type OciOrigin } from "./catalogue.ts"
import { DevContainerOrigin } from "./image-builder.ts"
import { ImageConfig } from "./image-config.ts"
import { twiceNamed, withProgramOfNode } from "./npm-names.ts"

/**
 * Definition of an environment of the user's own. The definition is in the state directory and the image in the cache: pyro builds a
 * missing image again from the definition.
 */
export const Definition = Schema.Struct({
  format: Schema.Literal(1),
  name: Schema.String,
  /** Environment of the catalogue that provides the inputs. */
  from: Schema.String,
  /** Additional Debian packages, sorted. */
  packages: Schema.Array(Schema.String),
  /** npm packages over these, as NAME@VERSION, sorted. */
  npm: Schema.optional(Schema.Array(Schema.String)),
  /** Id of the workspace whose root is the image. Such an image is in the state directory, because pyro cannot build it again. */
  workspace: Schema.optional(Schema.String),
  /** The image of a registry that `name` refers to: the digest of its manifest, and how its programs are started. */
  oci: Schema.optional(
    Schema.Struct({
      digest: Schema.String,
      config: ImageConfig,
      devcontainer: Schema.optional(DevContainerOrigin),
      /** The mirror that gave it, or those that gave bases of its Dockerfile. */
      mirror: Schema.optional(Schema.String)
    })
  ),
  /** Time of the definition, ISO 8601. */
  created: Schema.String
})
export type Definition = typeof Definition.Type

/** A name, or a name and a tag. Each is also a safe file name and a safe word of a command line. */
const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}(:[a-z0-9][a-z0-9._-]{0,62})?$/

/** Fails with InvalidRequest unless a user's own environment may have that name. */
export const checkName = (name: string): Effect.Effect<void, InvalidRequest> => {
  const reserved = new Set(catalogue.map((entry) => entry.name.split(":")[0]))
  return !namePattern.test(name)
    ? new InvalidRequest({
      field: "name",
      detail:
        `"${name}" is no name for an environment; one looks like myenv or myenv:2, of lower-case letters, digits and . _ -`
    })
    : reserved.has(name.split(":")[0])
    ? new InvalidRequest({
      field: "name",
      detail: `"${name}" would pass for one of pyro's own environments; choose a name that does not begin with ${
        name.split(":")[0]
      }`
    })
    : Effect.void
}

/** A package in apt's form, optionally with its version. apt would remove a package with a hyphen at the end. */
const packagePattern = /^[a-z0-9][a-z0-9+.-]*[a-z0-9+.](=[A-Za-z0-9.+:~-]+)?$/

/** A package of npm's registry with its version, or the version's first one or two numbers. Other ranges are ambiguous. */
const npmPattern = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*@\d+(\.\d+(\.\d+([-+][A-Za-z0-9.+-]+)?)?)?$/

const wordsOf = (words: ReadonlyArray<string>) =>
  words.flatMap((word) => word.split(/[\s,]+/)).filter((word) => word !== "")

/** Packages from words that may have several, separated by commas or blanks: sorted, each once. Fails with InvalidRequest. */
export const packageNames = (
  { npm, packages }: { readonly npm: ReadonlyArray<string>; readonly packages: ReadonlyArray<string> }
): Effect.Effect<{ readonly npm: ReadonlyArray<string>; readonly packages: ReadonlyArray<string> }, InvalidRequest> => {
  const debian = wordsOf(packages)
  const ofNpm = [...new Set(wordsOf(npm).map(withProgramOfNode))].sort()
  const odd = debian.find((name) => !packagePattern.test(name))
  if (odd !== undefined) {
    return new InvalidRequest({ field: "packages", detail: `"${odd}" is no name of a Debian package` })
  }
  const loose = ofNpm.find((name) => !npmPattern.test(name))
  if (loose !== undefined) {
    return new InvalidRequest({
      field: "npm",
      detail: `"${loose}" must be NAME@VERSION, such as prettier@3.6.2 or node@22`
    })
  }
  const twice = twiceNamed(ofNpm)
  if (twice !== undefined) {
    return new InvalidRequest({ field: "npm", detail: `${twice} is given with two versions` })
  }
  return debian.length + ofNpm.length === 0
    ? new InvalidRequest({
      field: "packages",
      detail: "name at least one package, of Debian or of npm"
    })
    : Effect.succeed({ packages: [...new Set(debian)].sort(), npm: ofNpm })
}

/** Space for packages of unknown size, in MiB. npm programs are larger: some are one file of 400 MB. */
const addedMib = 700
const npmMib = 1500

const storedAsOf = (...content: ReadonlyArray<unknown>) =>
  `own-${createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32)}`

/**
 * The environment of a definition. The definition's content names its image, so two names with the same content share one image, in
 * all state directories that share the cache.
 */
export const ownEntry = (base: CatalogueEntry, { from, name, npm = [], packages }: Definition): CatalogueEntry => {
  const debian: CatalogueEntry = packages.length === 0 ? base : {
    ...base,
    name,
    storedAs: storedAsOf(from, packages),
    description: `${from} and ${packages.join(", ")}`,
    own: { from, packages, npm: [] },
    over: base,
    diskMib: base.diskMib + addedMib,
    treeMib: base.treeMib + addedMib
  }
  return npm.length === 0 ? debian : {
    ...debian,
    name,
    storedAs: storedAsOf(from, packages, npm),
    description: `${from} and ${[...packages, ...npm].join(", ")}`,
    own: { from, packages, npm },
    over: debian,
    diskMib: debian.diskMib + npmMib,
    treeMib: debian.treeMib + npmMib
  }
}

/**
 * The environment that an image became. Only its builder says which manifest it made it of, and programs of a Dockerfile may lie in the
 * builder's name. So each name has an entry of its own in the cache, and shares the file with another name only if the bytes are the same.
 */
export const ociEntry = ({ from, name, packages }: Definition, oci: OciOrigin): CatalogueEntry => ({
  name,
  storedAs: `oci-${sha256Text(JSON.stringify([name, oci.digest]))}`,
  codename: "",
  description: packages.length === 0 ? `image ${oci.digest}` : `${from} and ${packages.join(", ")}`,
  ...(packages.length === 0 ? {} : { own: { from, packages, npm: [] } }),
  oci,
  lists: [],
  diskMib: 0,
  treeMib: 0
})

/** The environment that a workspace's root became. */
export const keptEntry = ({ from, name, oci, packages, workspace }: Definition): CatalogueEntry => ({
  name,
  storedAs: name,
  codename: "",
  description: `${workspace ?? ""}, which came from ${from}`,
  own: { from, packages, npm: [], workspace },
  ...(oci === undefined ? {} : { oci }),
  lists: [],
  diskMib: 0,
  treeMib: 0
})

/** Folder of a state directory's definitions. */
export const ownFolder = (stateDir: string) => path.join(stateDir, "environments")

const isOf = ({ from, npm = [], oci, packages, workspace }: Definition) =>
  workspace !== undefined
    ? `the root of ${workspace}`
    : oci !== undefined && packages.length === 0
    ? `the image ${oci.digest}`
    : `${from} and ${[...packages, ...npm].join(", ")}`

/** Whether a name of another definition may be replaced. */
export interface Replacing {
  readonly replace?: boolean
}

/** The definitions in a folder. */
export const ownDefinitions = (folder: string) => {
  const isName = (name: string) => namePattern.test(name) || isImageName(name)
  const file = (name: string) => path.join(folder, `${namePattern.test(name) ? name : referenceFile(name)}.json`)
  const alone = withLock(path.join(folder, ".lock"), { timeoutMs: 30_000 })

  const read = (file: string) =>
    readJson(file, Definition).pipe(
      Effect.tapError((error) =>
        Effect.logWarning(`environment ${path.basename(file, ".json")} is passed over: ${error.message}`)
      ),
      Effect.orElseSucceed(() => Option.none())
    )

  /** The definition of a name, if there is one. Logs an unreadable definition and leaves it. */
  const find = (name: string): Effect.Effect<Option.Option<Definition>> =>
    isName(name) ? read(file(name)) : Effect.succeed(Option.none())

  /** By name. */
  const all: Effect.Effect<ReadonlyArray<Definition>, NoSpace | StateDirectoryUnusable> = listIfPresent(folder).pipe(
    Effect.mapError(toHostErrorOf(folder)),
    Effect.map((names) => names.filter((entry) => entry.endsWith(".json")).sort()),
    Effect.flatMap(Effect.forEach((entry) => read(path.join(folder, entry)))),
    Effect.map((found) => found.flatMap(Option.toArray))
  )

  /**
   * Whether the name already has the same definition. For another definition: false with `replace`, else fails with
   * EnvironmentNameTaken.
   */
  const known = (wanted: Definition, { replace }: Replacing = {}): Effect.Effect<boolean, EnvironmentNameTaken> =>
    Effect.flatMap(
      find(wanted.name),
      Option.match({
        onNone: () =>
          exists(file(wanted.name)) && replace !== true
            ? new EnvironmentNameTaken({ environment: wanted.name, is: "a definition that cannot be read" })
            : Effect.succeed(false),
        onSome: (one) =>
          one.workspace === undefined && wanted.workspace === undefined &&
            JSON.stringify(one.oci) === JSON.stringify(wanted.oci) &&
            one.from === wanted.from &&
            one.packages.join() === wanted.packages.join() && one.npm?.join() === wanted.npm?.join()
            ? Effect.succeed(true)
            : replace === true
            ? Effect.succeed(false)
            : new EnvironmentNameTaken({ environment: wanted.name, is: isOf(one) })
      })
    )

  const keep = (definition: Definition, replacing: Replacing = {}) =>
    Effect.andThen(
      ensureFolder(folder),
      alone(Effect.flatMap(known(definition, replacing), (same): Effect.Effect<void, FileFailed> =>
        same ? Effect.void : writeJsonAtomic(file(definition.name), Definition, definition, { durable: true })))
    )

  /** Whether the name is in use, even by an unreadable definition. */
  const isGiven = (name: string) => isName(name) && exists(file(name))

  /** Whether the definition existed. */
  const drop = (name: string) =>
    Effect.suspend(() => isGiven(name) ? Effect.as(removeFile(file(name)), true) : Effect.succeed(false))

  return { find, all, known, isGiven, keep, drop }
}
