import { Effect } from "effect"
import * as path from "node:path"
import { EnvironmentUnknown } from "../../../contract/errors/errors.ts"
import { similarEnvironments } from "../../../contract/text/similar.ts"
import { exists } from "../../../system/files/entries.ts"
import type { DevContainerOrigin } from "./image-builder.ts"
import type { ImageConfig } from "./image-config.ts"
import { imageRecipeDigest, readList, recipeDigest, recipeFolder } from "./rootfs.ts"

/** An image of a registry. */
export interface OciOrigin {
  /** Digest of its manifest for this machine, as `sha256:…`. */
  readonly digest: string
  readonly config: ImageConfig
  readonly devcontainer?: DevContainerOrigin | undefined
  /** The mirror that gave it, or those that gave bases of its Dockerfile. */
  readonly mirror?: string | undefined
}

/** An environment that pyro knows how to build. */
export interface CatalogueEntry {
  readonly name: string
  /** Name of its image in the cache. */
  readonly storedAs: string
  /** Definition of an environment of the user's own. Absent for the catalogue's. */
  readonly own?: {
    readonly from: string
    readonly packages: ReadonlyArray<string>
    readonly npm: ReadonlyArray<string>
    /** Source workspace of an environment without packages, which cannot be built again. */
    readonly workspace?: string | undefined
  }
  /** The image of a registry that it was made of. Only a builder microVM can make it again. */
  readonly oci?: OciOrigin
  /** Programs that each of its guests starts. They write to no disk. Absent: unknown. */
  readonly firstPrograms?: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]>
  /** Environment whose image gets the npm packages of `own`, or without these the Debian packages that this one has in addition. */
  readonly over?: CatalogueEntry
  /** Code name of the Debian release. */
  readonly codename: string
  readonly description: string
  /** Package lists of the recipe in layers. A list may have an addition for its release. */
  readonly lists: ReadonlyArray<"base" | "default" | "build" | "builder" | "docker">
  /**
   * Space in MiB that a build needs for image and downloaded packages, and for the unpacked tree. Measured in 2026 and increased by
   * a quarter, for images of 160, 330 and 810 MiB.
   */
  readonly diskMib: number
  readonly treeMib: number
}

const releases = [{ version: "12", codename: "bookworm" }, { version: "13", codename: "trixie" }] as const

const variants = [
  {
    suffix: "-base",
    lists: ["base"],
    diskMib: 300,
    treeMib: 400,
    what: "the smallest: essential packages, apt and sudo"
  },
  {
    suffix: "",
    lists: ["base", "default"],
    diskMib: 600,
    treeMib: 800,
    what: "git, curl, python3, ripgrep, jq and what else an agent expects at hand"
  },
  {
    suffix: "-build",
    lists: ["base", "default", "build"],
    diskMib: 1300,
    treeMib: 1800,
    what: "the same with compilers, autotools, Python's venv and pip, Node.js and npm"
  }
] as const

/** The environment of the microVMs that make environments of images. */
export const BUILDER = "builder"

const builder: CatalogueEntry = {
  name: BUILDER,
  storedAs: BUILDER,
  codename: "trixie",
  description: "pyro's own: makes environments of images and Dockerfiles",
  lists: ["base", "builder"],
  firstPrograms: [
    [
      "python3",
      "-I",
      "-S",
      "-B",
      "-c",
      "import hashlib, json, os, re, shlex, shutil, signal, subprocess, threading, time"
    ],
    ["skopeo", "--version"],
    ["igzip", "--version"],
    ["mkfs.erofs", "--version"],
    ["tar", "--version"]
  ],
  diskMib: 500,
  treeMib: 700
}

const debian: ReadonlyArray<CatalogueEntry> = releases.flatMap(({ codename, version }) =>
  variants.map(({ diskMib, lists, suffix, treeMib, what }) => ({
    name: `debian:${version}${suffix}`,
    storedAs: `debian:${version}${suffix}`,
    codename,
    description: `Debian ${version} (${codename}): ${what}`,
    lists,
    diskMib,
    treeMib
  }))
)

/** Debian 12 has neither the compose of today's projects (version 2) nor BuildKit's client. */
const docker: ReadonlyArray<CatalogueEntry> = debian.filter(({ name }) => name === "debian:13").map((base) => ({
  ...base,
  name: "debian:13-docker",
  storedAs: "debian:13-docker",
  description: `${base.description}; and Docker with compose, which starts when it is used`,
  lists: [...base.lists, "docker"],
  over: base,
  diskMib: base.diskMib + 700,
  treeMib: base.treeMib + 700
}))

/** All environments, in the order in which they are listed. */
export const catalogue: ReadonlyArray<CatalogueEntry> = [...debian, ...docker, builder]

const unknown = (environment: string, known: ReadonlyArray<string>) =>
  new EnvironmentUnknown({ environment, known, similar: similarEnvironments(environment, known) })

/** Finds an environment by name; fails with EnvironmentUnknown, which names the known ones. */
export const lookUp = (
  name: string,
  among: ReadonlyArray<CatalogueEntry> = catalogue
): Effect.Effect<CatalogueEntry, EnvironmentUnknown> => {
  const entry = among.find((one) => one.name === name)
  return entry === undefined
    ? unknown(name, among.map((one) => one.name))
    : Effect.succeed(entry)
}

const packagesOfLists = (entry: CatalogueEntry, lists: CatalogueEntry["lists"]) =>
  lists.flatMap((list) => [`${list}.packages`, `${list}.${entry.codename}.packages`])
    .map((file) => path.join(recipeFolder("environment"), file)).filter(exists).flatMap(readList)

/** Packages of an environment besides the essential ones and apt, sorted. */
export const packagesOf = (entry: CatalogueEntry): ReadonlyArray<string> =>
  [...packagesOfLists(entry, entry.lists), ...entry.own?.packages ?? []].sort()

/** Packages that a build adds to the image of `over`, sorted. */
export const addedPackagesOf = (entry: CatalogueEntry): ReadonlyArray<string> => {
  const lists = entry.lists.filter((list) => entry.over?.lists.includes(list) === false)
  return [...packagesOfLists(entry, lists), ...entry.own?.packages ?? []].sort()
}

/** Digest of all inputs of an environment, except the versions of Debian's packages, and the reference of an image: several may name one image. */
export const recipeOf = (entry: CatalogueEntry): string =>
  entry.oci === undefined ? recipeOfPackages(entry) : imageRecipeDigest()

const recipeOfPackages = (entry: CatalogueEntry): string =>
  recipeDigest(recipeFolder("environment"), [
    entry.storedAs,
    entry.codename,
    ...packagesOf(entry),
    ...(addedPackagesOf(entry).length === 0 ? [] : [recipeDigest(recipeFolder("packages"), [])])
  ])
