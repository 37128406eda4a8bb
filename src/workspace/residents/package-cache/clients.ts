import { Effect, Option, Stream } from "effect"
import { constants } from "node:os"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { Variables } from "../program/variables.ts"
import type { PackageCaching } from "./package-cache.ts"
import { clientSettings, npmSettings, npmVariables, withoutOwnLines } from "./registries.ts"

/** Larger files of settings are left alone. */
const READ_BYTES = 65_536

type Files = Pick<GuestChannel, "changeFiles" | "read" | "readMany" | "write">

/** One character for each byte: the lines of the user stay as they are. */
const textIn = (content: Uint8Array) => Buffer.from(content).toString("latin1")
const bytesOf = (text: string) => Buffer.from(text, "latin1")

const textOf = ({ read }: Files, file: string) =>
  Stream.runCollect(read({ root: "/", path: file, limit: READ_BYTES })).pipe(
    Effect.map((pieces) => Option.some(textIn(Buffer.concat([...pieces])))),
    Effect.catchTag(
      "AgentCallFailed",
      (failure) => failure.errno === "ENOENT" ? Effect.succeed(Option.none<string>()) : failure
    )
  )

/** The text that a file of settings gets; `undefined` for a file that stays as it is. */
const nextText = (found: string | undefined, wanted: string | undefined): string | undefined => {
  if (found === undefined) return wanted
  if (found.length >= READ_BYTES) return undefined
  const foreign = withoutOwnLines(found)
  // A setting of the user or the project comes first.
  const next = wanted === undefined ? foreign : foreign.trim() === "" ? wanted : found
  return next === found ? undefined : next
}

/** The settings that a file should have. */
interface Wanted {
  readonly file: string
  readonly text: string | undefined
}

/** The text that a file gets. */
interface Next {
  readonly file: string
  readonly text: string
}

/** A root that is read-only or full keeps its settings: its clients then ask the registries themselves. */
const orWarn = <A, R>(file: string, work: Effect.Effect<A, AgentCallFailed | ChannelFailed, R>) =>
  Effect.catchTag(
    work,
    "AgentCallFailed",
    ({ message }) => Effect.logWarning(`the settings in /${file} cannot be written: ${message}`)
  )

const write = (files: Files, { file, text }: Next) =>
  files.write({ root: "/", path: file, mode: 0o644, createParents: true }, Stream.make(bytesOf(text)))

/** Reads through links. */
const settle = (files: Files, { file, text }: Wanted) =>
  Effect.flatMap(textOf(files, file), (found) => {
    const next = nextText(Option.getOrUndefined(found), text)
    return next === undefined ? Effect.void : write(files, { file, text: next })
  })

/** Makes files at free paths. A guest starts a process for each request, so all go in one. */
const addAll = (files: Files, added: ReadonlyArray<Next>) =>
  added.length === 0 ? Effect.void : Effect.catchTag(
    files.changeFiles(
      "/",
      added.map(({ file, text }) => ({
        _tag: "file",
        path: Buffer.from(file),
        content: bytesOf(text),
        mode: 0o644,
        taken: undefined
      }))
    ),
    "AgentCallFailed",
    // All or none: one of them may be in a folder of its own file system.
    () => Effect.forEach(added, (one) => orWarn(one.file, write(files, one)), { discard: true })
  )

const { EFBIG, ENOENT } = constants.errno

const settleAll = (files: Files, settings: ReturnType<PackageCaching["settings"]>) =>
  Effect.gen(function*() {
    const wanted = clientSettings.flatMap((one) =>
      one.paths.map((file): Wanted => ({ file, text: settings?.includes(one) === true ? one.text : undefined }))
    )
    const found = yield* Stream.runCollect(
      files.readMany({ root: "/", paths: wanted.map(({ file }) => file), limit: READ_BYTES })
    )
    const added: Array<Next> = []
    const others: Array<Effect.Effect<void, ChannelFailed>> = []
    for (const [at, { file, text }] of wanted.entries()) {
      const { content = Buffer.alloc(0), errno = ENOENT } = found[at] ?? {}
      if (errno === ENOENT) {
        if (text !== undefined) added.push({ file, text })
      } else if (errno === 0) {
        const next = nextText(textIn(content), text)
        if (next !== undefined) others.push(orWarn(file, write(files, { file, text: next })))
      } else if (errno !== EFBIG) others.push(orWarn(file, settle(files, { file, text })))
    }
    yield* Effect.all([addAll(files, added), ...others], { concurrency: "unbounded", discard: true })
    const isPlain = (file: string) => {
      const { content = Buffer.alloc(0), errno = ENOENT } = found[wanted.findIndex((one) => one.file === file)] ?? {}
      return errno === ENOENT || (errno === 0 && withoutOwnLines(textIn(content)).trim() === "")
    }
    // An image with an npmrc of its own keeps it.
    return settings?.includes(npmSettings) === true && npmSettings.paths.every(isPlain) ? npmVariables : {}
  })

const nothing: Variables = {}

/** Points the guest's clients to the cache, by the present policy, and gives the variables that they need. A guest without a network stays as it is. */
export const settleClients = (channel: Files, caching: PackageCaching): Effect.Effect<Variables> =>
  Effect.suspend(() => {
    const wanted = caching.settings()
    return wanted === undefined
      ? Effect.succeed(nothing)
      : Effect.catchCause(settleAll(channel, wanted), () => Effect.succeed(nothing))
  })

/** Settles each guest once, before its next command, and again after a change of the policy. */
export const makeClients = (caching: PackageCaching) => {
  let settled = new WeakMap<object, Variables>()
  return {
    before: (channel: Files): Effect.Effect<Variables> =>
      Effect.suspend(() => {
        const known = settled.get(channel)
        return known !== undefined
          ? Effect.succeed(known)
          : Effect.tap(settleClients(channel, caching), (variables) =>
            Effect.sync(() => {
              settled.set(channel, variables)
            }))
      }),
    changed: () => {
      settled = new WeakMap()
    }
  }
}
