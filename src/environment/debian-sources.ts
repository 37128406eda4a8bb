import { Effect } from "effect"
import * as path from "node:path"
import { HostToolMissing } from "../contract/errors/errors.ts"
import { exists } from "../system/files/entries.ts"
import { runTool } from "../system/processes/child.ts"
import { asNamespaceRoot } from "../system/processes/namespace.ts"
import { recipeFolder } from "./image/recipe.ts"

/** Keys of all Debian releases that are still alive; package `debian-archive-keyring`, on Debian and its derivatives. */
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

/** One repository that this host's apt knows. Fields that apt cannot fill are empty. */
export interface HostSource {
  readonly uri: string
  readonly release: string
  readonly component: string
  readonly origin: string
}

/** Reads `apt-get indextargets` in the format of `targetFormat`. A field that apt does not know stays as written. */
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
    // Before the first `apt-get update` apt does not know the origin yet; the archive's layout is the same on every mirror.
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

/** Groups of settings for this host's own upkeep, or for the choice of files rather than their transport. */
const notForBuilds = /^Acquire::(IndexTargets|Changelogs|Languages|CompressionTypes|GzipIndexes|cdrom)\b/

/** How this host's apt fetches: proxies, certificates, retries, passwords of mirrors. Lines of an apt.conf. */
export const hostFetchSettings = runTool("apt-config", ["dump", "--no-empty"]).pipe(
  Effect.map(({ stdout }) => [
    ...stdout.toString("utf8").split("\n").filter((line) => line.startsWith("Acquire::") && !notForBuilds.test(line)),
    `Dir::Etc::netrc "/etc/apt/auth.conf";`,
    `Dir::Etc::netrcparts "/etc/apt/auth.conf.d";`
  ])
)
