import { Effect } from "effect"
import * as path from "node:path"
import { EnvironmentUnknown } from "../contract/errors.ts"
import { readList, recipeDigest, recipeFolder } from "./recipe.ts"

/** An environment that pyro knows how to build. */
export interface CatalogueEntry {
  readonly name: string
  /** Code name of the Debian release. */
  readonly codename: string
  readonly description: string
  /** Package lists of the recipe, each on top of the one before. */
  readonly lists: ReadonlyArray<"base" | "default" | "build">
  /** Rough size of the image and of the tree while it is built, in MiB: what must be free before a build starts. */
  readonly imageMib: number
  readonly treeMib: number
}

const releases = [{ version: "12", codename: "bookworm" }, { version: "13", codename: "trixie" }] as const

const variants = [
  {
    suffix: "-base",
    lists: ["base"],
    imageMib: 250,
    treeMib: 500,
    what: "the smallest: essential packages, apt and sudo"
  },
  {
    suffix: "",
    lists: ["base", "default"],
    imageMib: 500,
    treeMib: 1000,
    what: "git, curl, python3, ripgrep, jq and what else an agent expects at hand"
  },
  {
    suffix: "-build",
    lists: ["base", "default", "build"],
    imageMib: 1300,
    treeMib: 2600,
    what: "the same with compilers, Python's venv and pip, Node.js and npm"
  }
] as const

/** All environments, in the order in which they are listed. */
export const catalogue: ReadonlyArray<CatalogueEntry> = releases.flatMap(({ codename, version }) =>
  variants.map(({ imageMib, lists, suffix, treeMib, what }) => ({
    name: `debian:${version}${suffix}`,
    codename,
    description: `Debian ${version} (${codename}): ${what}`,
    lists,
    imageMib,
    treeMib
  }))
)

/** Finds an environment by name; fails with EnvironmentUnknown, which names the known ones. */
export const lookUp = (name: string): Effect.Effect<CatalogueEntry, EnvironmentUnknown> => {
  const entry = catalogue.find((one) => one.name === name)
  return entry === undefined
    ? new EnvironmentUnknown({ environment: name, known: catalogue.map((one) => one.name) })
    : Effect.succeed(entry)
}

/** Packages that an environment has beside the essential ones and apt, sorted. */
export const packagesOf = (entry: CatalogueEntry): ReadonlyArray<string> =>
  entry.lists.flatMap((list) => readList(path.join(recipeFolder("environment"), `${list}.packages`))).sort()

/** Digest of all that decides what an environment is, but for the versions of Debian's packages. */
export const recipeOf = (entry: CatalogueEntry): string =>
  recipeDigest(recipeFolder("environment"), [entry.name, entry.codename, ...packagesOf(entry)])
