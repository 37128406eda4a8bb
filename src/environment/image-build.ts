import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { HostToolMissing, NoSpace } from "../contract/errors.ts"
import { runTool } from "../system/child.ts"
import { packageOf } from "../system/tool-packages.ts"
import type { CatalogueEntry } from "./catalogue.ts"
import { packagesOf } from "./catalogue.ts"
import { type BuildContext, sayBuildFailure } from "./failures.ts"
import type { KernelModules } from "./Kernel.ts"
import { withSbin } from "./kernel-unpack.ts"
import { asNamespaceRoot } from "./namespace.ts"
import { buildProgress, type OnProgress } from "./progress.ts"
import { recipeFolder } from "./recipe.ts"
import { debianSources, hostFetchSettings } from "./sources.ts"
import { availableMemoryMib, needSpace } from "./space.ts"
import type { Temporary } from "./temporary.ts"

export interface ImageBuild {
  readonly entry: CatalogueEntry
  readonly modules: KernelModules
  readonly work: Temporary
  /** Folder of downloaded packages, shared by the environments of a release. */
  readonly packages: string
  readonly onProgress: OnProgress
}

/** What a finished build left in its working folder. */
export interface BuiltImage {
  readonly image: string
  /** Lines of `name=version`. */
  readonly packageList: string
  readonly sources: ReadonlyArray<string>
}

const tools = ["mmdebstrap", "mkfs.erofs", "unshare", "flock", "tar", "apt-get"] as const
/** Kept of what the build printed: enough for apt's reasons. */
const logTail = 64 * 1024

/** Builds an image of an environment inside a working folder; what happens there is `rootfs/environment/build.sh`. */
export const buildImage = (options: ImageBuild) =>
  Effect.gen(function*() {
    const { entry, work } = options
    const context: BuildContext = {
      environment: entry.name,
      step: "prepare",
      folder: work.path,
      neededMib: entry.imageMib
    }
    for (const tool of tools) yield* needTool(tool)
    const store = yield* treeStore(entry, work)
    const sources = yield* sayBuildFailure(context)(debianSources(entry.codename))
    const settings = yield* sayBuildFailure(context)(hostFetchSettings)
    const file = (name: string) => path.join(work.path, name)
    fs.writeFileSync(file("sources.list"), sources.join("\n") + "\n")
    fs.writeFileSync(file("host-apt.conf"), settings.join("\n") + "\n")
    fs.mkdirSync(options.packages, { recursive: true, mode: 0o700 })

    const recipe = recipeFolder("environment")
    const [program, ...args] = asNamespaceRoot([
      ...["bash", path.join(recipe, "supervise.sh"), work.alive],
      ...["bash", path.join(recipe, "build.sh")]
    ])
    let log = ""
    let line = ""
    const onLine = buildProgress(options.onProgress)
    const steps = { at: "bootstrap" }
    const keep = (chunk: string) => {
      log = (log + chunk).slice(-logTail)
      const lines = (line + chunk).split("\n")
      line = lines.pop() ?? ""
      for (const one of lines) {
        const step = /^pyro-step: (.*)/.exec(one)
        if (step !== null) steps.at = step[1] ?? steps.at
        onLine(one)
      }
    }
    yield* runTool(program, args, {
      cwd: work.path,
      onStdout: (chunk) => keep(chunk.toString("utf8")),
      env: {
        ...cleanEnvironment(),
        PYRO_SUITE: entry.codename,
        PYRO_PACKAGES: packagesOf(entry).join(","),
        PYRO_SOURCES: file("sources.list"),
        PYRO_APT_CONF: file("host-apt.conf"),
        PYRO_DEBS: options.packages,
        PYRO_MODULES: options.modules.archive,
        PYRO_RECIPE: recipe,
        PYRO_MOUNT: mountPoint([work.path, recipe, options.packages]),
        PYRO_STORE: store
      }
    }).pipe(
      Effect.catchTag("ToolFailed", (error) =>
        sayBuildFailure({ ...context, step: steps.at, log: () => log })(Effect.fail(error)))
    )
    return {
      image: file("root.erofs"),
      packageList: fs.readFileSync(file("packages"), "utf8"),
      sources
    } satisfies BuiltImage
  })

/** The tree grows in memory when there is plenty (half the time of a disk), else in the working folder. */
const treeStore = (entry: CatalogueEntry, work: Temporary): Effect.Effect<string, NoSpace> => {
  if (availableMemoryMib() > 3 * entry.treeMib) return Effect.as(needSpace(work.path, 2 * entry.imageMib), "memory")
  return Effect.as(needSpace(work.path, 2 * entry.imageMib + entry.treeMib), path.join(work.path, "tree"))
}

const needTool = (tool: string) => {
  const folders = (withSbin()["PATH"] ?? "").split(":")
  return folders.some((folder) => fs.existsSync(path.join(folder, tool)))
    ? Effect.void
    : new HostToolMissing({ tool, package: packageOf(tool), detail: "environments are built with it" })
}

/** A folder that every Debian has and that holds nothing the build reads: what is mounted on it hides what lies beneath. */
const mountPoint = (inUse: ReadonlyArray<string>) =>
  ["/mnt", "/media", "/srv", "/opt"].find((folder) =>
    fs.existsSync(folder) && !inUse.some((used) => used === folder || used.startsWith(folder + "/"))
  ) ?? "/tmp"

/** Only what says how to reach the network: nothing else of the caller's surroundings may change an image. */
const cleanEnvironment = (): NodeJS.ProcessEnv => {
  const kept = Object.entries(process.env).filter(([name]) => /^(https?|ftp|all|no)_proxy$/i.test(name))
  return { ...Object.fromEntries(kept), PATH: withSbin()["PATH"], HOME: "/root", LC_ALL: "C.UTF-8" }
}
