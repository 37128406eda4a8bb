import { Context, Effect } from "effect"
import * as path from "node:path"
import { HostToolMissing } from "../../../contract/errors/errors.ts"
import { named } from "../../../contract/text/names.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { printable } from "../../../contract/text/printable.ts"
import { runTool } from "../../../system/processes/child.ts"
import { findProgram, isRoot } from "../../../system/processes/host.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import { processEnvironment } from "../../../system/settings/config.ts"
import { isLinux } from "../../../system/settings/this-computer.ts"
import { GitFailed } from "../model/git-failed.ts"
import { findSpecialFile } from "../model/host-files.ts"
import { isStill, type Pinned, replaced } from "../model/pinned.ts"
import { gitPath, gitProgram } from "./git-program.ts"

/**
 * Room of one git. Its git directory is pyro's own (`makeScratch`), never a foreign one, so git does not read a foreign
 * repository's configuration, hooks or attributes.
 */
export interface GitRoom {
  readonly gitDir: string
  /** Directory of path look-ups. Relative paths in results are below `cwd`. */
  readonly workTree?: Pinned | undefined
  readonly cwd?: Pinned | undefined
  /** Attribute file of lowest precedence, in `gitDir`. @default none */
  readonly attributesFile?: string | undefined
  /** Other host directories that git may read. */
  readonly sees: ReadonlyArray<Pinned>
  /** Whether namespaces are available: then git sees only /usr and the listed directories. */
  readonly namespaces: boolean
}

export interface GitOptions {
  readonly input?: Uint8Array | string | undefined
  readonly okCodes?: ReadonlyArray<number> | undefined
  /** 512 MiB by default. */
  readonly maxOutputBytes?: number | undefined
  /** git reads contents, packs or talks to a server, with a limit of an hour. */
  readonly isLong?: boolean | undefined
  /** The only protocols that git may use. With any, git has the host's network. */
  readonly protocols?: ReadonlyArray<string> | undefined
  /** Settings that must not appear in a list of processes, such as a URL with a password. */
  readonly secrets?: Readonly<Record<string, string>> | undefined
}

/**
 * Time limits of one git, in `ms`: a repository's rules, objects or server may keep git busy without end. `suspect`: time after
 * which pyro looks for files that block git.
 */
export const gitDeadlines = Context.Reference("pyro/seeding/gitDeadlines", {
  defaultValue: () => ({ short: 120_000, long: 3_600_000, suspect: 1_000 })
})

const nowhere = "/nonexistent"

/** Defence in depth, in case git reads a foreign configuration in spite of `GitRoom`. */
const settings = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.untrackedCache=false",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "core.splitIndex=false",
  "credential.helper=",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "maintenance.auto=false",
  "gc.auto=0",
  // Gives up on a server that sends less than a kilobyte a second for a minute.
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
  "pack.threads=1",
  // Existing packs stay. For other objects of a throw-away copy, speed counts more than size.
  "pack.compression=1",
  "tar.umask=0022",
  "safe.directory=*"
].flatMap((setting) => ["-c", setting])

const proxies = ["http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"]

const proxySettings = () => {
  const inherited = processEnvironment()
  return named(proxies.flatMap((name) => inherited[name] ? [[name, inherited[name]]] : []))
}

const environment = (room: GitRoom, options: GitOptions): NodeJS.ProcessEnv => {
  const secrets = Object.entries(options.secrets ?? {})
  return {
    ...gitPath(),
    LC_ALL: "C",
    HOME: nowhere,
    XDG_CONFIG_HOME: nowhere,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_PAGER: "cat",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    // Unlike `protocol.allow`, no configuration can extend it.
    GIT_ALLOW_PROTOCOL: options.protocols?.join(":") ?? "none",
    GIT_DIR: room.gitDir,
    ...(room.workTree === undefined ? {} : { GIT_WORK_TREE: room.workTree.path }),
    GIT_CONFIG_COUNT: String(secrets.length),
    ...named(secrets.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value]
    ])),
    ...(options.protocols === undefined
      ? {}
      : proxySettings())
  }
}

/** Host files that programs need to talk to servers. */
const networkFiles = [
  ...["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"],
  ...["/etc/ssl", "/etc/ca-certificates", "/etc/pki", "/run/systemd/resolve"]
]

const places = ({ sees, workTree }: GitRoom) => [...(workTree === undefined ? [] : [workTree]), ...sees]

/** The directories that must be those that pyro opened. */
const pinsOf = (room: GitRoom) => [...places(room), ...(room.cwd === undefined ? [] : [room.cwd])]

/** Path of the program pyro-pinned in git's namespaces. */
const pinnedInside = "/run/pyro-pinned"

/** Runs git only if the directories are still those that pyro opened: a link may have taken the place of one. */
const whilePinned = (pinned: string, room: GitRoom, command: ReadonlyArray<string>): ReadonlyArray<string> => [
  pinned,
  ...places(room).flatMap(({ device, inode, path }) => [path, `${device}`, `${inode}`]),
  ...(room.cwd === undefined ? [] : [".", `${room.cwd.device}`, `${room.cwd.inode}`]),
  "--",
  ...command
]

/**
 * bubblewrap's arguments: an empty root with /usr and the room, and for root only the capability to read. No `--new-session`: the
 * child already leads a session. bubblewrap's own children must stay in its process group, or a kill before `--die-with-parent`
 * takes effect misses them.
 */
const namespaceArgs = (room: GitRoom, network: boolean, pinned: string): ReadonlyArray<string> => [
  ...(isRoot() ? ["--cap-drop", "ALL", "--cap-add", "CAP_DAC_READ_SEARCH"] : ["--unshare-user"]),
  ...["--unshare-ipc", "--unshare-uts", "--unshare-pid", "--unshare-cgroup-try", "--die-with-parent"],
  ...(network ? [] : ["--unshare-net"]),
  ...["--tmpfs", "/tmp"],
  ...["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/nix/store", "/nix/store"],
  ...["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin"],
  ...["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"],
  ...["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"],
  ...(network ? networkFiles.flatMap((file) => ["--ro-bind-try", file, file]) : []),
  ...places(room).flatMap(({ path }) => ["--ro-bind", path, path]),
  ...["--ro-bind", pinned, pinnedInside],
  ...["--bind", room.gitDir, room.gitDir, "--chdir", room.cwd?.path ?? room.gitDir]
]

/** The room without a work tree, for commands that need none. */
export const withoutTree = (room: GitRoom): GitRoom => ({ ...room, workTree: undefined, cwd: undefined })

/** Runs git in its room and gives its output. */
export const git = (
  room: GitRoom,
  args: readonly [command: string, ...rest: ReadonlyArray<string>],
  options: GitOptions = {}
): Effect.Effect<Buffer, GitFailed | HostToolMissing> =>
  Effect.gen(function*() {
    const program = gitProgram()
    if (program === undefined) {
      return yield* new HostToolMissing({ tool: "git", package: "git", detail: "it was not found on PATH" })
    }
    const pinned = isLinux() ? yield* nativeTool("pyro-pinned") : undefined
    const moved = pinned === undefined ? pinsOf(room).find((one) => !isStill(one)) : undefined
    if (moved !== undefined) return yield* replaced(moved.path)
    const network = options.protocols !== undefined
    const attributes = room.attributesFile === undefined
      ? []
      : ["-c", `core.attributesFile=${path.join(room.gitDir, room.attributesFile)}`]
    const command = [program, "--no-pager", ...settings, ...attributes, ...args]
    const [tool = "", ...rest] = pinned === undefined
      ? command
      : room.namespaces
      ? [
        findProgram("bwrap") ?? "bwrap",
        ...namespaceArgs(room, network, pinned),
        "--",
        ...whilePinned(pinnedInside, room, command)
      ]
      : whilePinned(pinned, room, command)
    const { stdout } = yield* runTool(tool, rest, {
      cwd: room.namespaces ? "/" : room.cwd?.path ?? room.gitDir,
      env: environment(room, options),
      okCodes: options.okCodes ?? [0],
      maxOutputBytes: options.maxOutputBytes ?? 512 * 1024 * 1024,
      ...(options.input === undefined ? {} : { input: options.input })
    }).pipe(
      Effect.raceFirst(overdue(room, args[0], options)),
      Effect.catchTag("ToolFailed", (failure) =>
        new GitFailed({ command: args[0], detail: lastLine(failure.stderr) || failure.message }))
    )
    return stdout
  })

/** Fails if git waits for a special file, or exceeds its time limit. Never succeeds. */
const overdue = (room: GitRoom, command: string, { isLong = false }: GitOptions) =>
  Effect.gen(function*() {
    const deadlines = yield* gitDeadlines
    const deadlineMs = isLong ? deadlines.long : deadlines.short
    const late = new GitFailed({
      command,
      detail: `it took longer than ${
        deadlineMs / 1000
      } s and was ended; an archive of the directory is taken without git`
    })
    const suspects = Effect.gen(function*() {
      yield* Effect.sleep(deadlines.suspect)
      const found =
        (room.workTree === undefined ? undefined : yield* findSpecialFile(room.workTree.path, { everything: false })) ??
          (yield* Effect.reduce(
            room.sees,
            (): Buffer | undefined => undefined,
            (before, { path }) =>
              before === undefined ? findSpecialFile(path, { everything: true }) : Effect.succeed(before)
          ))
      return yield* found === undefined
        ? Effect.never
        : new GitFailed({
          command,
          detail: `${pathText(found)} is neither a file nor a directory; git would wait for it for ever`
        })
    })
    return yield* Effect.raceFirst(suspects, Effect.andThen(Effect.sleep(deadlineMs), late))
  })

const lastLine = (text: string) => {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "")
  return printable(lines.find((line) => line.startsWith("fatal: ")) ?? lines.at(-1) ?? "")
}
