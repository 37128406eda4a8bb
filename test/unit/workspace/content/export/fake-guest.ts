import { Effect, Schema, Stream } from "effect"
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import * as path from "node:path"
import {
  type ExportEvent,
  type ExportPayload,
  ExportResult,
  workspaceExport
} from "../../../../../src/contract/rows/workspace-export.ts"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import { AgentCallFailed, EFBIG } from "../../../../../src/lib/guest-channel/model/errors.ts"
import type { ReadResult, WalkEntry } from "../../../../../src/lib/guest-channel/model/files.ts"
import { nativeDirectory } from "../../../../../src/system/processes/native.ts"
import type { ExportChannel } from "../../../../../src/workspace/content/export/contents.ts"

/** A file, directory or whatever a guest claims to have. */
export interface Claimed {
  readonly path: string | Uint8Array
  readonly type?: WalkEntry["type"]
  readonly mode?: number
  readonly size?: number
  readonly target?: string
  readonly hasAttributes?: true
  /** What reading it gives; an error of the agent's by name. */
  readonly content?: Stream.Stream<Uint8Array> | string | { readonly errno: string }
}

const latin1 = (value: string | Uint8Array) => typeof value === "string" ? value : Buffer.from(value).toString("latin1")

const walked = (one: Claimed, relative: string): WalkEntry => ({
  type: one.type ?? "file",
  mode: one.mode ?? 0o644,
  uid: 0,
  gid: 0,
  size: one.size ?? (typeof one.content === "string" ? one.content.length : 0),
  ino: 1n,
  mtimeNs: 0n,
  ctimeNs: 0n,
  nlink: 1,
  path: Buffer.from(relative, "latin1"),
  linkTarget: Buffer.from(one.target ?? "", "latin1"),
  ...(one.hasAttributes === undefined ? {} : { hasAttributes: one.hasAttributes })
})

const failed = (operation: string, errno: string) => new AgentCallFailed({ operation, errno, detail: "" })

/** The part of a channel that exports use, to a guest that has these, told in this order. */
export const guestWith = (claims: Iterable<Claimed>): ExportChannel => {
  const { read, walk } = partsOf(claims)
  const readMany: GuestChannel["readMany"] = ({ limit, paths, root }) =>
    Stream.fromIterable(paths).pipe(
      Stream.mapEffect((name) => {
        const path = [latin1(root).replace(/^\/workspace\/?/, ""), latin1(name)].filter((part) => part !== "").join("/")
        let seen = 0
        return read({ root: "/workspace", path: Buffer.from(path, "latin1") }).pipe(
          Stream.takeUntil((bytes) => (seen += bytes.length) > limit),
          Stream.runCollect,
          Effect.map((pieces): ReadResult => {
            const content = Buffer.concat(pieces)
            const large = content.length > limit
            return { errno: large ? EFBIG : 0, size: content.length, content: large ? new Uint8Array(0) : content }
          }),
          Effect.catchTag("AgentCallFailed", ({ errno }) =>
            Effect.succeed<ReadResult>({
              errno: constants.errno[errno as keyof typeof constants.errno],
              size: 0,
              content: new Uint8Array(0)
            }))
        )
      })
    )
  return { read, walk, readMany }
}

const partsOf = (claims: Iterable<Claimed>): Pick<GuestChannel, "walk" | "read"> => ({
  walk: ({ maxDepth, path: at }) => {
    const folder = latin1(at)
    const prefix = folder === "" ? "" : `${folder}/`
    return Stream.fromIterable(claims).pipe(
      Stream.filter((one) => latin1(one.path).startsWith(prefix)),
      Stream.map((one) => walked(one, latin1(one.path).slice(prefix.length))),
      Stream.filter((entry) => maxDepth !== 1 || !latin1(entry.path).includes("/"))
    )
  },
  read: ({ limit = 0, path: at }) => {
    const found = Array.from(claims).find((one) => latin1(one.path) === latin1(at))
    const content = found?.content ?? ""
    if (found === undefined) return Stream.fail(failed("read", "ENOENT"))
    if (typeof content === "string") {
      return Stream.make(Buffer.from(content, "latin1").subarray(0, limit === 0 ? undefined : limit))
    }
    return "errno" in content ? Stream.fail(failed("read", content.errno)) : content
  }
})

/** An entry of a walk, without its path. */
export const someEntry: Omit<WalkEntry, "path"> = {
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  ino: 1n,
  mtimeNs: 0n,
  ctimeNs: 0n,
  nlink: 1,
  linkTarget: new Uint8Array(0)
}

export const payload = (fields: Partial<ExportPayload>): ExportPayload => ({
  workspace: "w",
  ask: false,
  path: "",
  paths: [],
  exclude: [],
  output: "/nonexistent/out",
  patch: false,
  apply: false,
  includeIgnored: false,
  check: false,
  overwrite: false,
  allowExecutableConfig: false,
  preserveTimes: false,
  maxMib: 2048,
  maxEntries: 100_000,
  ...fields
})

/** Runs an export to its end and folds its events as a surface does. */
export const resultOf = <E>(asked: ExportPayload, events: Stream.Stream<ExportEvent, E>) =>
  Effect.gen(function*() {
    const all = yield* Stream.runCollect(events)
    const folding = workspaceExport.fold(asked)
    for (const event of all) folding.add(event)
    const result = folding.result()
    if (result === undefined) return yield* Effect.die(new Error("no event ended the export"))
    Schema.encodeSync(ExportResult())(result)
    const stdout = Buffer.concat(all.flatMap((event) => event._tag === "Output" ? [event.bytes] : []))
    return { result, stdout, notices: all.filter((event) => event._tag === "Notice") }
  })

/** A folder for a test, gone afterwards. */
export const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "pyro-export-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Has this process use the sanitizer builds of what writes on the host; a sanitizer that speaks ends them with another status than 0. */
export const useSanitizedPut = () => {
  const folder = mkdtempSync(path.join(tmpdir(), "pyro-native-"))
  for (const name of ["pyro-put", "pyro-apply"]) {
    const sanitized = path.join(nativeDirectory(), `${name}-sanitized`)
    if (!existsSync(sanitized)) throw new Error("no sanitizer build: run make -C native sanitized")
    symlinkSync(sanitized, path.join(folder, name))
  }
  const before = process.env["PYRO_NATIVE_DIR"]
  process.env["PYRO_NATIVE_DIR"] = folder
  return () => {
    if (before === undefined) delete process.env["PYRO_NATIVE_DIR"]
    else process.env["PYRO_NATIVE_DIR"] = before
    rmSync(folder, { recursive: true, force: true })
  }
}
