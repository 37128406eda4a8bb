import { Effect } from "effect"
import * as path from "node:path"
import { HostToolMissing } from "../../../contract/errors/errors.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder, exists, listFolder } from "../../../system/files/entries.ts"
import type { Temporary } from "../../../system/files/temporary.ts"
import { asNamespaceRoot, runTool } from "../../../system/processes/child.ts"
import { runSupervised, withSbin } from "./host-tools.ts"
import { recipeFolder } from "./rootfs.ts"

/** Keys of all Debian releases that are still alive; package `debian-archive-keyring`, on Debian and its derivatives. */
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

/** One repository that this host's apt knows. Fields that apt cannot fill are empty. */
interface HostSource {
  readonly uri: string
  readonly release: string
  readonly component: string
  readonly origin: string
}

/** Reads the output of `apt-get indextargets` in the format of `targetFormat`. apt leaves an unknown field as written. */
export const parseTargets = (text: string): ReadonlyArray<HostSource> =>
  text.split("\n").filter((line) => line.includes("|")).map((line) => {
    const [uri = "", release = "", component = "", origin = ""] = line.split("|").map((field) =>
      field.startsWith("$(") ? "" : field
    )
    return { uri, release, component, origin }
  })
const targetFormat = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"

/**
 * Lines of a sources.list for a Debian release, from the mirrors of this host, which may run another release. Empty if the host's
 * apt knows no Debian mirror over HTTP. Suites that the host lacks (updates, security) are left out.
 */
export const sourcesFor = (codename: string, known: ReadonlyArray<HostSource>): ReadonlyArray<string> => {
  const debian = known.filter(({ component, origin, uri }) =>
    component === "main" && /^https?:/.test(uri) &&
    // Before the first `apt-get update`, apt does not know the origin. The archive's layout is the same on every mirror.
    (origin === "" ? /\/debian(-security)?\/?$/.test(uri) : origin === "Debian")
  )
  const main = debian.find(({ release }) => /^[a-z]+$/.test(release))
  if (main === undefined) return []
  const security = debian.find(({ release }) => release.endsWith("-security"))
  const line = (uri: string, suite: string) => `deb [signed-by=${keyring}] ${uri.replace(/\/$/, "")} ${suite} main`
  return [
    line(main.uri, codename),
    ...(debian.some(({ release }) => release.endsWith("-updates")) ? [line(main.uri, `${codename}-updates`)] : []),
    ...(security === undefined ? [] : [line(security.uri, `${codename}-security`)])
  ]
}

/** Sources of a Debian release on this host: its own mirrors, else mmdebstrap's choice. */
export const debianSources = (codename: string) =>
  Effect.gen(function*() {
    if (!exists(keyring)) {
      return yield* new HostToolMissing({
        tool: keyring,
        package: "debian-archive-keyring",
        detail: "it has Debian's keys"
      })
    }
    const targets = yield* runTool("apt-get", ["indextargets", "--format", targetFormat, "Created-By: Packages"])
    const own = sourcesFor(codename, parseTargets(targets.stdout.toString("utf8")))
    if (own.length > 0) return own
    const script = path.join(recipeFolder("environment"), "default-sources.sh")
    const [tool, ...args] = asNamespaceRoot(["bash", script, codename, "/mnt"])
    const printed = yield* runTool(tool, args)
    return printed.stdout.toString("utf8").split("\n").filter((line) => line.startsWith("deb "))
      .map((line) => line.replace(/^deb (?!\[)/, `deb [signed-by=${keyring}] `))
  })

/** Groups of settings that maintain this host, or that choose files instead of transporting them. */
const notForBuilds = /^Acquire::(IndexTargets|Changelogs|Languages|CompressionTypes|GzipIndexes|cdrom)\b/

/** The fetch settings of this host's apt: proxies, certificates, retries, passwords of mirrors. Lines of an apt.conf. */
export const hostFetchSettings = runTool("apt-config", ["dump", "--no-empty"]).pipe(
  Effect.map(({ stdout }) => [
    ...stdout.toString("utf8").split("\n").filter((line) => line.startsWith("Acquire::") && !notForBuilds.test(line)),
    `Dir::Etc::netrc "/etc/apt/auth.conf";`,
    `Dir::Etc::netrcparts "/etc/apt/auth.conf.d";`
  ])
)

/**
 * apt with a state of its own in a working folder. It knows the given sources and no installed package, and verifies signatures as
 * usual. It needs no root, runs no hooks of the host, and leaves the host's lists and cache alone.
 */
export const privateApt = (options: Temporary & { readonly sources: ReadonlyArray<string> }) =>
  Effect.gen(function*() {
    const folder = options.path
    yield* ensureFolder(path.join(folder, "lists", "partial"))
    yield* ensureFolder(path.join(folder, "archives", "partial"))
    yield* writeFile(path.join(folder, "status"), "")
    yield* writeFile(path.join(folder, "sources.list"), options.sources.join("\n") + "\n")
    const settings = yield* hostFetchSettings
    const config = path.join(folder, "apt.conf")
    const nowhere = ["parts", "main", "sourceparts", "preferences", "preferencesparts"]
    yield* writeFile(
      config,
      [
        ...settings,
        `Dir::State "${folder}";`,
        `Dir::State::status "${folder}/status";`,
        `Dir::State::lists "${folder}/lists";`,
        `Dir::Cache "${folder}";`,
        `Dir::Cache::archives "${folder}/archives";`,
        `Dir::Etc::sourcelist "${folder}/sources.list";`,
        ...nowhere.map((item) => `Dir::Etc::${item} "/dev/null";`),
        `Acquire::Languages "none";`,
        // The folder is private to this user, so apt's download user cannot write into it.
        `APT::Sandbox::User "";`,
        `APT::Architecture "amd64";`,
        `APT::Architectures "amd64";`,
        ""
      ].join("\n")
    )
    const env = { ...withSbin(), APT_CONFIG: config, LC_ALL: "C.UTF-8" }
    const run = (tool: string, args: ReadonlyArray<string>) =>
      runSupervised(options.alive, [tool, ...args], { env, cwd: folder })
    return {
      update: run("apt-get", ["update", "--quiet", "--error-on=any"]),
      /** Name of the first package that another one depends on. */
      dependencyOf: (name: string) =>
        Effect.map(run("apt-cache", ["depends", "--important", name]), ({ stdout }) =>
          /^ +Depends: (\S+)/m.exec(stdout.toString("utf8"))?.[1]),
      /** Downloads one package into `folder` and returns its file name. */
      download: (name: string) =>
        Effect.map(
          Effect.andThen(run("apt-get", ["download", "--quiet", name]), listFolder(folder)),
          (names) =>
            names.find((file) => file.endsWith(".deb"))
        )
    }
  })
