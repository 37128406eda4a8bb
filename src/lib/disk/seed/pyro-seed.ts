import { Effect, Option } from "effect"
import {
  HostToolMissing,
  InvalidRequest,
  NoSpace,
  SeedRejected,
  StateDirectoryUnusable,
  WORKSPACE_DISK
} from "../../../contract/errors/errors.ts"
import type { Losses } from "../../../contract/text/host-file-notes.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { printable } from "../../../contract/text/printable.ts"
import { attempt } from "../../../system/files/failure.ts"
import {
  packageOf,
  runTool,
  type SpareProcess,
  spawnTool,
  toolEnd,
  type ToolFailed
} from "../../../system/processes/child.ts"
import { freeBytes } from "../../../system/processes/host.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import type { SeedReport } from "./store.ts"

/** Source of an image. */
export type SeedSource =
  | { readonly _tag: "empty" }
  | { readonly _tag: "archive"; readonly path: string; readonly hasNoLinks?: boolean }
  | {
    readonly _tag: "directory"
    readonly path: string
    /** Refuses a path with a symbolic link in it, also one that appears now. @default false */
    readonly hasNoLinks?: boolean
    /** NUL-terminated paths below the source to include. Absent: all of them. */
    readonly list?: Uint8Array | undefined
  }

/** A directory of the host to add at a path below /workspace that the source does not have. */
export interface Graft {
  readonly at: string
  readonly directory: string
}

/** Owner of /workspace and its files in the guest. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

export type SeedFailed = SeedRejected | NoSpace | HostToolMissing | InvalidRequest | StateDirectoryUnusable

export interface SeedResult {
  /** State of a source that can change. `settled` if a later comparison with this state is reliable. */
  readonly fingerprint: Option.Option<{ readonly hex: string; readonly settled: boolean }>
  /** Absent if the folder of known fingerprints has the source. Then nothing was written. */
  readonly made: Option.Option<{ readonly digest: string; readonly report: SeedReport }>
}

interface SeedRequest {
  readonly source: SeedSource
  readonly virtualMib: number
  /** Folder in which the image appears as `DIGEST.ext4`. */
  readonly into: string
  /** Folder with a file `FINGERPRINT.json` for each source whose image is there already. */
  readonly known?: string | undefined
  /** Makes nothing if the folder of known fingerprints lacks the source. */
  readonly probe?: boolean | undefined
  /** Part of the fingerprint, in place of the grafts' content. */
  readonly salt?: string | undefined
  readonly grafts?: ReadonlyArray<Graft> | undefined
  /** @default root */
  readonly owner?: Owner | undefined
}

const mib = 1024 * 1024

/** Exit statuses of pyro-seed (`enum outcome` in native/seed/seed.h). */
const status = { failed: 1, usage: 2, full: 3, hostFull: 4, rejected: 5, toolMissing: 6 } as const

/** Options with which the process reads its arguments from stdin. */
export const awaiting = ["--await"] as const

/** Arguments in the format of seed-await.c. */
const encodeArguments = (args: ReadonlyArray<string>): Buffer => {
  const text = Buffer.from(args.map((arg) => `${arg}\0`).join(""))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text])
}

/** Runs the tool, in the spare process if one waits. */
const runSeed = (tool: string, args: ReadonlyArray<string>, list: Uint8Array | undefined, spare?: SpareProcess) =>
  Effect.suspend(() => {
    const options = { okCodes: [0, ...Object.values(status)], ...(list === undefined ? {} : { input: list }) }
    let hasWaited = false
    const start = () => {
      const waiting = spare?.take()
      hasWaited = waiting !== undefined
      const child = waiting ?? spawnTool(tool, args, options)
      if (hasWaited) child.stdin?.write(encodeArguments(args))
      child.stdin?.end(list)
      return child
    }
    // Something killed the spare process while it waited.
    const isEnded = (failure: ToolFailed | HostToolMissing) =>
      hasWaited && failure._tag === "ToolFailed" && failure.signal !== undefined
    return Effect.catchIf(toolEnd(tool, start, options), isEnded, () => runTool(tool, args, options))
  })

/**
 * Writes one seed image with the native tool. An interruption leaves nothing behind: an unfinished image has no name. The call
 * uses the spare process if one waits, and prepares the next one.
 */
export const makeSeed = (request: SeedRequest, spare?: SpareProcess): Effect.Effect<SeedResult, SeedFailed> =>
  Effect.gen(function*() {
    const tool = yield* nativeTool("pyro-seed")
    const { source } = request
    const args = [
      ...["--into", request.into, "--virtual-bytes", String(request.virtualMib * mib)],
      ...(request.known === undefined ? [] : ["--known", request.known]),
      ...(request.probe === true ? ["--probe"] : []),
      ...(request.salt === undefined ? [] : ["--salt", request.salt]),
      ...(request.owner === undefined ? [] : ["--owner", `${request.owner.uid}:${request.owner.gid}`]),
      ...(request.grafts ?? []).flatMap(({ at, directory }) => ["--graft", at, directory]),
      ...(source._tag !== "empty" && source.hasNoLinks === true ? ["--no-links"] : []),
      ...(source._tag === "empty" ? ["--empty"] : [`--${source._tag}`, source.path]),
      ...(source._tag === "directory" && source.list !== undefined ? ["--list"] : [])
    ]
    const list = source._tag === "directory" ? source.list : undefined
    const { code, stderr, stdout } = yield* runSeed(tool, args, list, spare).pipe(
      Effect.catchTag(
        "ToolFailed",
        (cause) =>
          new StateDirectoryUnusable({ path: request.into, detail: `no image could be made: ${cause.message}` })
      ),
      Effect.ensuring(spare?.prepare(tool) ?? Effect.void)
    )
    const said = parse(stdout)
    return code === 0 ? resultOf(said) : yield* failureOf(request, code, said, stderr)
  })

/** Counts the files with extended attributes, which a copy lacks. `list` has NUL-terminated paths below the directory. */
export const attributesLost = (
  directory: string,
  list: Uint8Array
): Effect.Effect<Losses, HostToolMissing | ToolFailed> =>
  Effect.gen(function*() {
    const tool = yield* nativeTool("pyro-seed")
    const { stdout } = yield* runTool(tool, ["--attributes", directory], { input: list })
    return parse(stdout).losses
  })

interface Said {
  readonly skipped: Array<{ readonly path: string; readonly reason: string }>
  readonly counts: Map<string, number>
  losses: Losses
  readonly records: Map<string, readonly [subject: string, text: string]>
}

/** Records of three fields, each ended by a NUL, as the head of native/seed/main.c lists them. */
const parse = (stdout: Buffer): Said => {
  const said: Said = { skipped: [], counts: new Map(), losses: {}, records: new Map() }
  let at = 0
  const field = () => {
    const end = stdout.indexOf(0, at)
    const bytes = stdout.subarray(at, end < 0 ? stdout.length : end)
    at = end < 0 ? stdout.length : end + 1
    return bytes
  }
  while (at < stdout.length) {
    const kind = field().toString()
    const subject = field()
    const text = field().toString()
    if (kind === "skip") said.skipped.push({ path: pathText(subject), reason: text })
    else if (kind === "set-ids") {
      said.losses = { ...said.losses, setIds: { count: Number(text), first: pathText(subject) } }
    } else if (kind === "attributes") {
      said.losses = { ...said.losses, attributes: { count: Number(text), first: pathText(subject) } }
    } else if (kind === "count") said.counts.set(subject.toString(), Number(text))
    else said.records.set(kind, [subject.toString(), text])
  }
  return said
}

const resultOf = (said: Said): SeedResult => {
  const count = (name: string) => said.counts.get(name) ?? 0
  return {
    fingerprint: Option.map(
      Option.fromNullishOr(said.records.get("fingerprint")),
      ([hex, how]) => ({ hex, settled: how === "settled" })
    ),
    made: Option.map(Option.fromNullishOr(said.records.get("image")), ([digest]) => ({
      digest,
      report: {
        files: count("files"),
        directories: count("directories"),
        symlinks: count("symlinks"),
        bytes: count("bytes"),
        skippedCount: count("skipped"),
        skipped: said.skipped,
        losses: said.losses
      }
    }))
  }
}

/** Free MiB of a folder's file system, 0 if unknown. */
const freeMibOf = (folder: string) =>
  Effect.orElseSucceed(attempt("statfs", folder, () => Math.floor(freeBytes(folder) / mib)), () => 0)

const failureOf = (request: SeedRequest, code: number, said: Said, stderr: string) => {
  const detail = said.records.get("error")?.[1] ?? `pyro-seed ended with status ${code}`
  const path = request.source._tag === "empty" ? request.into : request.source.path
  const needed = said.counts.get("neededBytes")
  const free = said.counts.get("freeBytes")
  const mibOf = (bytes: number) => Math.ceil(bytes / mib)
  switch (code) {
    case status.full:
      return new NoSpace({
        where: WORKSPACE_DISK,
        path,
        // A stream's final size is unknown, so only the size of the whole disk can be named.
        neededMib: needed === undefined ? request.virtualMib + 1 : mibOf(needed),
        availableMib: free === undefined ? request.virtualMib : Math.floor(free / mib)
      })
    case status.hostFull:
      return Effect.flatMap(freeMibOf(request.into), (availableMib) =>
        new NoSpace({
          where: "cache",
          path: request.into,
          // An archive's remaining size is unknown.
          neededMib: Math.max(mibOf(needed ?? 0), availableMib + 1),
          availableMib
        }))
    case status.rejected:
      return new SeedRejected({ path, detail: `${detail}${decompressorSaid(stderr)}` })
    case status.toolMissing:
      return new HostToolMissing({ tool: detail, package: packageOf(detail), detail: `${path} is unpacked with it` })
    case status.usage:
      return new InvalidRequest({ field: "", detail })
    default:
      return new StateDirectoryUnusable({ path: request.into, detail })
  }
}

/** First line that the decompressor wrote, in parentheses; pyro-seed's own lines begin with its name. */
const decompressorSaid = (stderr: string) => {
  const line = stderr.split("\n").find((text) => text.trim() !== "" && !text.startsWith("pyro-seed: "))
  return line === undefined ? "" : ` (${printable(line.trim())})`
}
