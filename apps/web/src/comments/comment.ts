import { Option, Schema } from "effect"

/** Most characters of one comment. */
export const MOST_CHARACTERS = 4_000

/** Most comments on one workspace: all of them fit into the storage that a browser gives an origin. */
export const MOST_COMMENTS = 200

/** Characters of the commented line that a comment keeps. */
const QUOTE_CHARACTERS = 200

/** A path has 4,096 bytes at most, each of which has four characters in git's quoted form. */
const PATH_CHARACTERS = 16_500

const text = (most: number) => Schema.String.check(Schema.isMaxLength(most))

const Place = Schema.Struct({
  /** SHA-256 of the hunk's lines. It stays the same while the hunk moves within its file. */
  hunk: text(64),
  /** Position of the line in the hunk. */
  at: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  sign: Schema.Literals(["+", "-", " "]),
  /** Number of the line when the comment was written: of the new file, or of a removed line in the old one. */
  line: Schema.Int,
  /** Begin of the line. */
  quote: text(QUOTE_CHARACTERS)
})

const Comment = Schema.Struct({
  id: text(64),
  /** Path of the changed file, as in `DiffFile`. */
  file: text(PATH_CHARACTERS),
  text: text(MOST_CHARACTERS),
  /** Absent if the comment is on the whole file. */
  on: Schema.optionalKey(Place)
})

/** The line of a comment. */
export type Place = typeof Place.Type

/** What a person says about a changed file, or about a line of its diff. */
export type Comment = typeof Comment.Type

const Comments = Schema.fromJsonString(Schema.Array(Comment).check(Schema.isMaxLength(MOST_COMMENTS)))

/** The comments in a text of the browser's storage. None if the text is damaged, or has more than the bounds allow. */
export const parsed = (stored: string | null): ReadonlyArray<Comment> =>
  stored === null ? [] : Option.getOrElse(Schema.decodeUnknownOption(Comments)(stored), () => [])

export const quoted = (line: string): string => line.slice(0, QUOTE_CHARACTERS)
