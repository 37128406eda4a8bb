import { Effect } from "effect"
import { type ChannelFailed, FileRefused, type InvalidRequest } from "../../../contract/errors/errors.ts"
import { call, type NextStep, option, words } from "../../../contract/errors/next-step.ts"
import type { PayloadOf, ResultOf } from "../../../contract/rows/operations.ts"
import { table } from "../../../contract/text/names.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { guestFiles, type GuestTree, type WorkspacePath, workspacePath } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import { modifiedAt } from "./list.ts"
import { asked, fileFailure, modeText } from "./open.ts"

type Verb = "stat" | "mkdir" | "remove" | "rename" | "copy" | "chmod"
type Request<V extends Verb> = PayloadOf<`workspace.file.${V}`>
type Answer<V extends Verb> = ResultOf<`workspace.file.${V}`>
type Refusal = ChannelFailed | FileRefused | InvalidRequest

/** Files of a running guest. */
const running = guestFiles()

type Meaning = readonly [reason: FileRefused["reason"], detail: string, ...next: ReadonlyArray<NextStep>]

/** Failures that mean something else here than for the content of a file. */
const inTheWay = {
  EEXIST: [
    "exists",
    "something is there already",
    option("Replace it", "replace", true),
    words("Or name another target")
  ],
  ENOTEMPTY: [
    "not_empty",
    "is a directory with content",
    call("Remove it first", "workspace.file.remove", { recursive: true }, "path")
  ],
  EISDIR: [
    "is_a_directory",
    "is a directory, which no file replaces",
    call("Remove it first", "workspace.file.remove", { recursive: true }, "path")
  ],
  EXDEV: ["failed", "the target is on another file system", words("Copy it, and remove the old one")],
  EINVAL: ["failed", "is no file or directory, or would be put into itself"]
} as const
const meanings = {
  mkdir: table<Meaning>({
    EEXIST: ["exists", "something is there already", option("Accept a directory that is there", "parents", true)]
  }),
  remove: table<Meaning>({
    ENOTEMPTY: ["not_empty", "is a directory with content", option("Remove it with its content", "recursive", true)]
  }),
  rename: table<Meaning>(inTheWay),
  copy: table<Meaning>(inTheWay),
  chmod: table<Meaning>({ EINVAL: inTheWay.EINVAL })
}

const failureAt = (path: WorkspacePath, verb: keyof typeof meanings) => (failure: AgentCallFailed) => {
  const known = failure.isUser === true ? undefined : meanings[verb][failure.errno]
  if (known === undefined) return fileFailure(path.text, running)(failure)
  const [reason, detail, ...next] = known
  return new FileRefused({ path: path.text, reason, detail, next })
}

/** A path that names an entry of a directory: neither the guest's root nor /workspace. */
const entryPath = (text: string): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> =>
  Effect.filterOrFail(
    workspacePath(text, running),
    ({ bytes }) => !/^(\.|workspace|(.*\/)?\.\.)$/.test(Buffer.from(bytes).toString("latin1")),
    ({ text }) =>
      new FileRefused({ path: text, reason: "not_a_file", detail: "must end with the name of a file or directory" })
  )

/** One file or directory. An absent one is a result. */
export const statFile = (
  channel: GuestChannel,
  { noFollow, path: text, user }: Request<"stat">,
  tree: GuestTree
): Effect.Effect<Answer<"stat">, Refusal> =>
  Effect.gen(function*() {
    const path = yield* workspacePath(text, tree)
    return yield* channel.statFile({ ...asked(path, tree), user, follow: !noFollow }).pipe(
      Effect.map(({ gid, linkTarget, mode, mtimeNs, size, type, uid }) => ({
        path: path.text,
        exists: true,
        type,
        sizeBytes: size,
        mode: modeText(mode),
        ...modifiedAt(mtimeNs),
        ...(type === "symlink" ? { target: pathText(linkTarget) } : {}),
        uid,
        gid
      })),
      Effect.catchTag("AgentCallFailed", (failure) =>
        failure.isUser !== true && (failure.errno === "ENOENT" || failure.errno === "ENOTDIR")
          ? Effect.succeed({ path: path.text, exists: false })
          : fileFailure(path.text, tree)(failure))
    )
  })

export const makeDirectory = (
  channel: GuestChannel,
  { mode, parents, path: text, user }: Request<"mkdir">
): Effect.Effect<Answer<"mkdir">, Refusal> =>
  Effect.gen(function*() {
    // With `parents`, an existing directory is a result and no failure. So are the guest's root and /workspace.
    const path = yield* (parents ? workspacePath(text, running) : entryPath(text))
    const place = { ...asked(path, running), user }
    const bits = mode === undefined ? undefined : Number.parseInt(mode, 8)
    return yield* channel.doFileWork({ ...place, op: "mkdir", createParents: parents, mode: bits }).pipe(
      Effect.as({ path: path.text, created: true }),
      Effect.catchTag("AgentCallFailed", (failure) =>
        failure.errno === "EEXIST" && parents
          ? channel.statFile({ ...place, follow: true }).pipe(
            Effect.filterOrFail(({ type }) => type === "directory", () => failure),
            Effect.as({ path: path.text, created: false })
          )
          : Effect.fail(failure)),
      Effect.catchTag("AgentCallFailed", failureAt(path, "mkdir"))
    )
  })

export const removeFile = (
  channel: GuestChannel,
  { ifExists, path: text, recursive, user }: Request<"remove">
): Effect.Effect<Answer<"remove">, Refusal> =>
  Effect.gen(function*() {
    const path = yield* entryPath(text)
    return yield* channel.doFileWork({ ...asked(path, running), user, op: "remove", recursive }).pipe(
      Effect.as({ path: path.text, removed: true }),
      Effect.catchTag("AgentCallFailed", (failure) =>
        ifExists && failure.isUser !== true && (failure.errno === "ENOENT" || failure.errno === "ENOTDIR")
          ? Effect.succeed({ path: path.text, removed: false })
          : failureAt(path, "remove")(failure))
    )
  })

export const renameFile = (
  channel: GuestChannel,
  { path: text, replace, target: wanted, user }: Request<"rename">
): Effect.Effect<Answer<"rename">, Refusal> =>
  Effect.gen(function*() {
    const path = yield* entryPath(text)
    const target = yield* entryPath(wanted)
    const work = { ...asked(path, running), user, op: "rename", target: target.bytes, replace } as const
    yield* Effect.catchTag(channel.doFileWork(work), "AgentCallFailed", both("rename", path, target))
    return { path: target.text }
  })

/** Copies a file or a tree. An interruption leaves nothing. */
export const copyFile = (
  channel: GuestChannel,
  { path: text, replace, target: wanted, user }: Request<"copy">
): Effect.Effect<Answer<"copy">, Refusal> =>
  Effect.gen(function*() {
    const path = yield* workspacePath(text, running)
    const target = yield* entryPath(wanted)
    const work = { ...asked(path, running), user, target: target.bytes, replace }
    const copied = yield* Effect.catchTag(channel.copyFile(work), "AgentCallFailed", both("copy", path, target))
    return { path: target.text, ...copied }
  })

/** A failure of work on two paths: the source is missing, or the target exists. */
const both = (verb: "rename" | "copy", path: WorkspacePath, target: WorkspacePath) => (failure: AgentCallFailed) =>
  failureAt(["EEXIST", "ENOTEMPTY", "EISDIR"].includes(failure.errno) ? target : path, verb)(failure)

export const changeMode = (
  channel: GuestChannel,
  { mode, path: text, user }: Request<"chmod">
): Effect.Effect<Answer<"chmod">, Refusal> =>
  Effect.gen(function*() {
    const path = yield* entryPath(text)
    const bits = Number.parseInt(mode, 8)
    const work = { ...asked(path, running), user, op: "chmod", mode: bits } as const
    yield* Effect.catchTag(channel.doFileWork(work), "AgentCallFailed", failureAt(path, "chmod"))
    return { path: path.text, mode: modeText(bits) }
  })
