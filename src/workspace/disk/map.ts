import { Effect } from "effect"
import {
  ConfinementUnavailable,
  HostToolMissing,
  ImageDamaged,
  type PyroError,
  VmFailed
} from "../../contract/errors/errors.ts"
import { openVerifiedQcow2 } from "../../disk/qcow2.ts"
import type { Seed } from "../../disk/workspace-disk.ts"
import { runTool } from "../../system/processes/child.ts"
import { fileBytes, findProgram } from "../../system/processes/host.ts"
import { packageOf } from "../../system/processes/tool-packages.ts"
import { chooseVmUid, probeConfinement, system, unshare } from "../../vm/confinement.ts"
import type { HostFacts } from "../../vm/HostFacts.ts"
import { type Extent, ExtentReader, WrongMap } from "./extents.ts"

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

/** Command that maps a chain and sees only the chain's files, as a user without rights. */
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
 * Where each byte of a disk lies. A confined `qemu-img` reads the metadata of the layers, whose headers are compared with pyro's own
 * before. pyro itself parses no metadata that a guest's QEMU wrote.
 */
export const mapDisk = (disk: RestingDisk): Effect.Effect<ReadonlyArray<Extent>, PyroError, HostFacts> =>
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
