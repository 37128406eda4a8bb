import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { named } from "../../../contract/text/names.ts"
import { printable } from "../../../contract/text/printable.ts"
import { type GitPlaces, gitVariables } from "../../../contract/wire/git-places.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { runTool } from "../../../system/processes/child.ts"
import { GitFailed } from "../model/git-failed.ts"
import { readBounded } from "../model/host-files.ts"
import { gitPlaces } from "./git-places.ts"
import { gitPath, gitProgram } from "./git-program.ts"
import { type Identity, identityIn } from "./identity.ts"
import { carriedNames, carriedSettings, type Settings } from "./safe-config.ts"

/** The host user's own git configuration, as it is in one repository. */
export interface HostConfig {
  readonly identity: Identity
  /** Settings for the comparison of files, which a repository's own replace. */
  readonly carried: Settings
  /** Settings of the user's shell (`GIT_CONFIG_COUNT`), which replace a repository's own. */
  readonly given: Settings
  /** Rules of the user's ignore file, without comments. */
  readonly excludes: Buffer | undefined
  /** Rules of the system's and the user's attribute files. */
  readonly attributes: Buffer | undefined
  /** Why a file of the configuration does not count. */
  readonly notes: ReadonlyArray<string>
}

/** The repository that conditional includes (`includeIf`) are about. */
export interface ConfiguredRepository {
  /** Real path. `undefined`: `folder` of the look. */
  readonly gitDir: string | undefined
  /** Open directory of the work tree, for a relative path in the configuration. */
  readonly workTree: string | undefined
  /** URLs of its remotes. */
  readonly urls: ReadonlyArray<string>
  /** Name of its branch, if `gitDir` is not given. */
  readonly ref?: string | undefined
}

/** Maximum bytes of the user's ignore file, and of each attribute file. */
const MAX_RULE_BYTES = 256 * 1024
const timeoutMs = 5_000
const systemAttributes = "/etc/gitattributes"
const keys = ["core.excludesfile", "core.attributesfile"] as const
const wanted = `^(user\\.(name|email)|${[...keys, ...carriedNames].map((key) => key.replace(".", "\\.")).join("|")})$`

/**
 * Reads the configuration of the system and the user with included files. git evaluates the conditions of `includeIf` for the
 * repository, but reads only its HEAD: an own directory takes the place of the repository's common one, and so of its configuration.
 */
export const hostConfig = (repository: ConfiguredRepository, folder: string) =>
  Effect.gen(function*() {
    const places = yield* gitPlaces
    yield* makeCommonDirectory(repository, folder)
    const program = gitProgram()
    const ask = (args: ReadonlyArray<string>, variables: ReadonlyArray<readonly [string, string]> = []) =>
      program === undefined
        ? Effect.succeed(new Map<string, string>())
        : runTool(program, ["config", "--includes", "-z", ...args], {
          cwd: "/",
          env: { ...named([...gitVariables(places), ...variables]), ...environmentOf(repository, folder) },
          okCodes: [0, 1],
          maxOutputBytes: 1024 * 1024
        }).pipe(Effect.timeout(timeoutMs), Effect.map(({ stdout }) => lastValues(stdout)), unreadable)
    const values = yield* ask(["--get-regexp", wanted])
    const given = places.settings === undefined
      ? new Map<string, string>()
      : yield* ask(["--get-regexp", wanted], noFiles)
    const special = keys.filter((key) => /^[~%:]/.test(values.get(key) ?? ""))
    for (const key of special) {
      const [[, expanded] = []] = yield* ask(["--type=path", "--get-regexp", `^${key.replace(".", "\\.")}$`])
      if (expanded !== undefined) values.set(key, expanded)
    }
    const notes: Array<string> = []
    const read = (file: string | undefined) =>
      attempt("read", file ?? "", () => file === undefined ? undefined : rulesIn(file, repository, notes))
    const excludes = yield* read(values.get("core.excludesfile") ?? defaultFile(places, "ignore"))
    const system = yield* read(systemAttributes)
    const attributes = yield* read(values.get("core.attributesfile") ?? defaultFile(places, "attributes"))
    return {
      identity: identityIn(values),
      carried: carriedIn(values),
      given: new Map([...carriedIn(given), ...[...given].filter(([name]) => name.startsWith("user."))]),
      excludes: excludes === undefined ? undefined : withoutComments(excludes),
      attributes: system === undefined && attributes === undefined
        ? undefined
        : Buffer.concat([system, attributes].flatMap((rules) => rules === undefined ? [] : [withoutComments(rules)])),
      notes
    } satisfies HostConfig
  })

/** The configuration of the variables alone. */
const noFiles = [["GIT_CONFIG_GLOBAL", "/dev/null"], ["GIT_CONFIG_NOSYSTEM", "1"]] as const

const carriedIn = (values: Settings): Settings =>
  new Map(carriedSettings(values).map(([name, value]) => [`core.${name}`, value]))

const unreadable = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>) =>
  Effect.mapError(effect, (failure) =>
    new GitFailed({
      command: "",
      detail: `the git configuration of this user cannot be read (${
        printable("stderr" in failure ? String(failure.stderr).trim() : failure.message)
      }); repair it, because its ignore rules count`
    }))

const environmentOf = ({ gitDir = undefined }: ConfiguredRepository, folder: string) => ({
  ...gitPath(),
  LC_ALL: "C",
  GIT_DIR: gitDir ?? folder,
  GIT_COMMON_DIR: folder,
  GIT_OPTIONAL_LOCKS: "0"
})

/** A URL that one line of a configuration can hold. */
const isPlain = (url: string) => url.length <= 4096 && !/\p{Cc}/u.test(url)

/** Makes the directory whose configuration git reads in place of the repository's: it has the URLs of the remotes alone. */
const makeCommonDirectory = ({ ref, urls }: ConfiguredRepository, folder: string) =>
  Effect.gen(function*() {
    for (const made of ["objects", "refs"]) yield* ensureFolder(path.join(folder, made))
    yield* writeFile(path.join(folder, "HEAD"), `ref: ${ref ?? "refs/heads/none"}\n`)
    yield* writeFile(
      path.join(folder, "config"),
      urls.filter(isPlain).map((url, at) => `[remote "${at}"]\n\turl = "${url.replace(/[\\"]/g, "\\$&")}"\n`).join("")
    )
  })

/** Values of `git config -z`. Of several values of a name, the last one counts. */
const lastValues = (output: Buffer) =>
  new Map(
    output.toString().split("\0").filter((record) => record !== "").map((record) => {
      const end = record.indexOf("\n")
      return end < 0 ? [record, "true"] as const : [record.slice(0, end), record.slice(end + 1)] as const
    })
  )

const defaultFile = ({ HOME, XDG_CONFIG_HOME }: GitPlaces, name: string) =>
  XDG_CONFIG_HOME
    ? path.join(XDG_CONFIG_HOME, "git", name)
    : HOME
    ? path.join(HOME, ".config", "git", name)
    : undefined

/**
 * Content of a rule file that the user's configuration names. The user may link to the file. A relative path leads into the work
 * tree, where a link could lead to any file of the host.
 */
const rulesIn = (file: string, { workTree }: ConfiguredRepository, notes: Array<string>): Buffer | undefined => {
  if (file === "") return undefined
  if (!path.isAbsolute(file)) {
    return workTree === undefined ? undefined : readBounded(path.join(workTree, file), MAX_RULE_BYTES)
  }
  const ignored = (reason: string) => void notes.push(`git's file ${printable(file)} does not count: ${reason}`)
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : ignored(code)
  }
  try {
    const stat = fs.fstatSync(fd)
    // git reads no device here, either: it is empty.
    if (file === "/dev/null") return undefined
    if (!stat.isFile()) return ignored("it is no regular file")
    return stat.size > MAX_RULE_BYTES
      ? ignored(`it has more than ${MAX_RULE_BYTES / 1024} KiB`)
      : fs.readFileSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** The rules of an ignore or attribute file, each on a line with an end. Comments of the user stay on the host. */
const withoutComments = (rules: Buffer): Buffer =>
  Buffer.from(
    rules.toString("latin1").replace(/^\xef\xbb\xbf/, "").split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")).map((line) => `${line}\n`).join(""),
    "latin1"
  )
