import { Effect } from "effect"
import { ConfinementUnavailable, HostToolMissing, ImageDamaged, VmFailed } from "../../contract/errors/errors.ts"
import { printable } from "../../contract/text/printable.ts"
import { openVerifiedQcow2 } from "../../lib/disk/qcow2.ts"
import type { Seed } from "../../lib/disk/workspace-disk.ts"
import { chooseVmUid, probeConfinement, system, unshare } from "../../lib/vm/model/confinement.ts"
import { packageOf, runTool } from "../../system/processes/child.ts"
import { fileBytes, findProgram } from "../../system/processes/host.ts"

/** A disk's files at rest: no process may write them. */
export interface RestingDisk {
  readonly seed: Seed
  /** Oldest first. */
  readonly layers: ReadonlyArray<string>
}

/** Files of a disk, newest first, as the depths of a map count them. */
export const filesOf = ({ layers, seed }: RestingDisk): ReadonlyArray<string> => [...[...layers].reverse(), seed.path]

const mapTimeout = "5 minutes"

/** Name of a file in the sandbox. */
const visible = (depth: number) => `/disk/${depth}`

const fileNode = (depth: number) => ({ driver: "file", filename: visible(depth), locking: "off" })

/** The chain as explicit nodes: no header of a layer names another file. */
const chainOf = (depth: number, count: number): object =>
  depth === count - 1
    ? { driver: "raw", file: fileNode(depth) }
    : { driver: "qcow2", file: fileNode(depth), backing: chainOf(depth + 1, count) }

/**
 * Command that maps a chain and sees only the chain's files, as a user without rights. No `--new-session`: `runTool` starts bubblewrap as the
 * leader of a session. bubblewrap's own children must stay in its process group, or a kill before `--die-with-parent` takes effect misses them.
 */
const sandboxed = (level: "namespaces" | "namespaces+uid", files: ReadonlyArray<string>) => {
  const uid = chooseVmUid(level)
  const drop = level === "namespaces+uid"
    ? ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    : ["setpriv"]
  return [
    ...(level === "namespaces" ? ["--unshare-user"] : []),
    ...unshare,
    "--die-with-parent",
    ...system,
    ...["--perms", "0755", "--dir", "/disk"],
    ...files.flatMap((file, depth) => ["--ro-bind", file, visible(depth)]),
    ...["--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--"],
    ...[...drop, "--no-new-privs", "qemu-img", "map", "--output=json"],
    `json:${JSON.stringify(chainOf(0, files.length))}`
  ]
}

/**
 * The place of each byte of a disk in its files. A confined `qemu-img` reads the metadata of the layers, after a comparison of their
 * headers with pyro's own. pyro itself parses no metadata that a guest's QEMU wrote.
 */
export const mapDisk = (disk: RestingDisk) =>
  Effect.scoped(Effect.gen(function*() {
    const { level, reason } = yield* probeConfinement
    if (level === "seccomp") return yield* new ConfinementUnavailable({ level, detail: reason })
    if (findProgram("qemu-img") === undefined) {
      const tool = "qemu-img"
      return yield* new HostToolMissing({ tool, package: packageOf(tool), detail: "it was not found on PATH" })
    }
    yield* Effect.forEach(disk.layers, (layer) => openVerifiedQcow2(layer, { ...disk.seed, mayBeSmaller: true }), {
      discard: true
    })
    const files = filesOf(disk)
    const reader = new ExtentReader({ virtualBytes: disk.seed.virtualBytes, fileBytes: files.map(fileBytes) })
    const damaged = (cause: unknown) =>
      cause instanceof WrongMap
        ? new ImageDamaged({ path: files[0]!, detail: cause.message })
        : new VmFailed({ step: "map disk", detail: String(cause), consoleTail: "" })
    let wrong: unknown
    yield* runTool("bwrap", sandboxed(level, files), {
      onStdout: (chunk) => {
        if (wrong !== undefined) return
        try {
          reader.push(chunk.toString("latin1"))
        } catch (cause) {
          wrong = cause
        }
      }
    }).pipe(
      Effect.catchTag(
        "ToolFailed",
        ({ message }) =>
          new ImageDamaged({ path: files[0]!, detail: `qemu-img cannot read the disk's layers: ${message}` })
      ),
      Effect.timeoutOrElse({
        duration: mapTimeout,
        orElse: () => Effect.fail(new VmFailed({ step: "map disk", detail: "qemu-img did not end", consoleTail: "" }))
      })
    )
    if (wrong !== undefined) return yield* Effect.fail(damaged(wrong))
    return yield* Effect.try({ try: () => reader.finish(), catch: damaged })
  }))

/** A run of a disk's bytes in one file of its chain. Other bytes of the disk are zeros. */
export interface Extent {
  /** First byte on the disk. */
  readonly start: number
  readonly length: number
  /** File of the chain, 0 for the newest. */
  readonly depth: number
  /** First byte in the file. */
  readonly offset: number
}

/** Files of a chain by their depth, and the disk's size. */
interface Chain {
  readonly virtualBytes: number
  /** Bytes of each file. */
  readonly fileBytes: ReadonlyArray<number>
}

/** Maximum number of extents: a disk of 256 GiB in single clusters. */
const MAX_EXTENTS = 4_194_304

/** Maximum characters of one line of the map. */
const MAX_LINE = 1_000

/** The map does not fit the chain. */
export class WrongMap extends Error {}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/**
 * Reads the output of `qemu-img map --output=json`, one extent per line. A guest's QEMU wrote the metadata of the map, so each number is
 * checked: extents follow each other up to the disk's end, and stay in their file.
 */
export class ExtentReader {
  readonly #chain: Chain
  readonly #extents: Array<Extent> = []
  #rest = ""
  #end = 0

  constructor(chain: Chain) {
    this.#chain = chain
  }

  push(text: string) {
    const lines = (this.#rest + text).split("\n")
    this.#rest = lines.pop()!
    if (this.#rest.length > MAX_LINE) throw new WrongMap("a line is too long")
    for (const line of lines) this.#add(line)
  }

  /** All extents with data, in the order of the disk. */
  finish(): ReadonlyArray<Extent> {
    this.#add(this.#rest)
    this.#rest = ""
    if (this.#end !== this.#chain.virtualBytes) throw new WrongMap(`the map ends at byte ${this.#end}`)
    return this.#extents
  }

  #add(line: string) {
    const text = line.trim().replace(/^\[/, "").replace(/[,\]]+$/, "")
    if (text === "") return
    const { depth, length, offset, start, ...kind } = decoded(text)
    if (start !== this.#end || !isCount(length) || length === 0) throw new WrongMap(`byte ${this.#end} is missing`)
    this.#end = start + length
    if (this.#end > this.#chain.virtualBytes) throw new WrongMap("the map is longer than the disk")
    if (kind["data"] !== true || kind["zero"] === true) return
    // QEMU compresses nothing that a guest writes.
    if (kind["compressed"] === true || !isCount(offset) || !isCount(depth)) {
      throw new WrongMap(`no place for byte ${start}`)
    }
    if (offset > (this.#chain.fileBytes[depth] ?? -1)) {
      throw new WrongMap(`byte ${start} is after the end of its file`)
    }
    if (this.#extents.length === MAX_EXTENTS) throw new WrongMap("the disk is too fragmented")
    this.#extents.push({ start, length, depth, offset })
  }
}

const decoded = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    throw new WrongMap(`no extent: ${printable(text.slice(0, 100))}`)
  }
}
