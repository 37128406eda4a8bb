import type { OutputName, SegmentStart } from "./segment.ts"

/** One file of a log. */
export interface Segment {
  readonly number: number
  /** Bytes of the file that are whole pieces. */
  size: number
  /** Read at the first use. */
  start: SegmentStart | undefined
}

/** The piece of a log that came last. */
export interface RecentPiece {
  readonly from: OutputName
  readonly bytes: Uint8Array
  /** Cursor of its first byte. */
  readonly start: number
  /** Position of the write, if it was written. */
  readonly segment: Segment | undefined
  readonly offset: number
}

/** A log for its readers. */
export interface ReadableLog {
  /** Cursor of its end. */
  readonly position: number
  readonly segments: ReadonlyArray<Segment>
  readonly recent: RecentPiece | undefined
  /** Descriptor of one of its files, which the caller closes. `undefined` if the file is gone. */
  readonly open: (segment: Segment) => number | undefined
  readonly startOf: (segment: Segment) => SegmentStart | undefined
}

export interface LogLimits {
  /** Size of a file, in `bytes`. */
  readonly segmentBytes: number
  /** Number of files per command that hold its first output and stay. */
  readonly headSegments: number
  /** Number of files per command in all. The others hold its newest output. */
  readonly segments: number
  /** Maximum `bytes` of all commands of a workspace. */
  readonly workspaceBytes: number
}

/** Space that a log shares with others. */
export interface LogRoom {
  readonly limits: LogLimits
  /** Space of all logs, in `bytes`. */
  heldBytes: number
  readonly file: (id: string, number: number) => string
  readonly created: () => void
  readonly removed: (size: number) => void
  /** Frees space for one more file. False if no file may be removed. */
  readonly makeRoom: () => boolean
}
