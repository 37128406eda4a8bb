import type { OutputName, SegmentStart } from "./segment.ts"

/** One file of a log. */
export interface Segment {
  readonly number: number
  /** Bytes of the file that are whole pieces. */
  size: number
  /** Read when it is first needed. */
  start: SegmentStart | undefined
}

/** The piece of a log that came last. */
export interface RecentPiece {
  readonly from: OutputName
  readonly bytes: Uint8Array
  /** Cursor of its first byte. */
  readonly start: number
  /** Where it was written, if it was. */
  readonly segment: Segment | undefined
  readonly offset: number
}

/** A log as its readers see it. */
export interface ReadableLog {
  /** Cursor of its end. */
  readonly position: number
  readonly segments: ReadonlyArray<Segment>
  readonly recent: RecentPiece | undefined
  /** Descriptor of a file of it, for the caller to close; undefined when it is gone. */
  readonly open: (segment: Segment) => number | undefined
  readonly startOf: (segment: Segment) => SegmentStart | undefined
}

export interface LogLimits {
  /** Size of a file, in `bytes`. */
  readonly segmentBytes: number
  /** Files of one command that hold its first output and stay. */
  readonly headSegments: number
  /** Files of one command in all; the others hold its newest output. */
  readonly segments: number
  /** What the commands of a workspace may take together, in `bytes`. */
  readonly workspaceBytes: number
}

/** The room that a log shares with others. */
export interface LogRoom {
  readonly limits: LogLimits
  /** Room that all of them take, in `bytes`. */
  heldBytes: number
  readonly file: (id: string, number: number) => string
  readonly created: () => void
  readonly removed: (size: number) => void
  /** Makes room for one more file; false where nothing is left that may go. */
  readonly makeRoom: () => boolean
}
