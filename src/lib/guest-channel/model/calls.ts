import {
  bytes,
  encodePayload,
  type Field,
  type Fields,
  offset,
  str,
  struct,
  type StructOf,
  u32,
  u64,
  u8
} from "../wire/control.ts"
import type { EventLevel } from "./event-level.ts"

/** One call of the agent: its request and the decoder of its result. Making the value sends nothing. */
export interface Call<out A> {
  readonly name: string
  /** Encodes the payload of the CALL frame, op and fields. Throws `Unencodable`. */
  readonly encode: () => Buffer
  readonly result: { readonly read: Field<A>["read"] }
}

const call = <F extends Fields, A>(name: string, op: number, fields: F, result: Field<A>) => {
  const layout = struct(fields)
  const request = struct({ op: u8, request: layout })
  return Object.assign(
    (value: StructOf<F>): Call<A> => ({ name, encode: () => encodePayload(request, { op, request: value }), result }),
    { op, request, result }
  )
}

const nothing: Field<void> = { write: () => {}, read: () => undefined }

/**
 * `prepare` loads the needs of the other modes, once, and never fails. `on` makes the guest's programs ask for the network, and fails if the
 * kernel cannot do so. `off` resets the open connections. `onClaimed` is `on` for a guest in which no program of a workspace has run: what
 * `prepare` added is still there.
 */
export const NetworkMode = { prepare: 0, on: 1, off: 2, onClaimed: 3 } as const

/** `unknown`: some may run. `own`: those that the host started. `left`: also processes whose parents have ended. Agents of an older pyro answer 0 or 1. */
export const Programs = { none: 0, unknown: 1, own: 2, left: 3 } as const

/** Root of the mount of `Calls.baseline`. */
export const baselineRoot = "baseline:"

/** All calls of the agent. Strings are bytes for the guest, times are nanoseconds. */
export const Calls = {
  /** Answers with the same bytes. */
  ping: call("ping", 1, { payload: bytes }, bytes),
  /** Mixes 32 to 512 bytes into the kernel's entropy and forces the CRNG to reseed. */
  reseed: call("reseed", 2, { entropy: bytes }, nothing),
  /** Steps the wall clock; answers the guest's time before. */
  clockSet: call("clock_set", 3, { ns: u64 }, u64),
  clockGet: call("clock_get", 4, {}, struct({ realtimeNs: u64, monotonicNs: u64 })),
  /** Mounts; a missing target directory is made. */
  mount: call("mount", 5, { source: str, target: str, fstype: str, flags: offset, data: str }, nothing),
  umount: call("umount", 6, { target: str, flags: u32 }, nothing),
  /** Makes a directory and its parents. */
  mkdir: call("mkdir", 7, { path: str, mode: u32 }, nothing),
  /** Writes a small file in place (created or truncated, not renamed). */
  writeSmall: call("write_small", 9, { path: str, mode: u32, content: bytes }, nothing),
  hostname: call("hostname", 10, { name: str }, nothing),
  /** Makes `path` the root, as switch_root(8) does; /proc, /sys and /dev move along. */
  switchRoot: call("switch_root", 11, { path: str }, nothing),
  /** Flushes file systems; dropCaches 1 also empties the page cache. */
  sync: call("sync", 13, { dropCaches: u8 }, nothing),
  /** The next call of `op` fails with EIO: the self-test's proof that a claim fails closed. 0 disarms. */
  failNext: call("fail_next", 15, { op: u8 }, nothing),
  /** Opens (1) or closes (0) a chain, in which nothing runs after the first failure. */
  chain: call("chain", 19, { on: u8 }, nothing),
  /**
   * Mounts a device read-only, out of sight of the guest's processes, for openers with the root `baselineRoot`. Unmounts the device
   * before. Empty: only unmounts.
   */
  baseline: call("baseline", 20, { device: str }, nothing),
  /** The same as `switchRoot` for a visit: the empty path returns to the root before. */
  visitRoot: call("visit_root", 21, { path: str }, nothing),
  /** mode: a number of `NetworkMode` */
  network: call("network", 22, { mode: u8 }, nothing),
  /**
   * Unused blocks of a mounted ext4, between two bytes of its device. `ranges` has pairs of u64, first byte and length, in order; `end` is
   * the first byte that the agent did not look at, because no further ranges fit.
   */
  freeSpace: call(
    "free_space",
    23,
    { path: str, start: offset, length: offset },
    struct({ end: offset, ranges: bytes })
  ),
  /** Grows a mounted ext4 to the size of its device. */
  grow: call("grow", 24, { path: str, device: str }, nothing),
  /** Removes a file or a link, or all entries beneath a directory. A missing path is clear. */
  clear: call("clear", 25, { path: str }, nothing),
  /**
   * Makes /dev/dm-0, a disk of `bytes` with the content of the device `seed`, zeros after its end, and all that was written since in the
   * device `store`. 0 bytes end the mapping.
   */
  layer: call("layer", 26, { seed: str, store: str, bytes: offset }, nothing),
  /**
   * `sync`, and the journal of the ext4 at `path` has nothing to replay afterwards, unless something was written meanwhile. Agents of an older
   * pyro do not know it.
   */
  checkpoint: call("checkpoint", 27, { path: str }, nothing),
  /** Which programs run: a number of `Programs`. Agents of an older pyro do not know it, or know only the first two. */
  programs: call("programs", 28, {}, u8),
  /** Copies what an image has in a directory to one that covers it: directories, small files and links, bounded in count and bytes. */
  runtimeFiles: call("runtime_files", 29, { from: str, to: str }, nothing)
} as const

/** A line of the agent's own log. */
export interface AgentEvent {
  readonly level: EventLevel
  readonly text: string
}
