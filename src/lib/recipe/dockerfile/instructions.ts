import type { Copy } from "dockerfile-ast"
import { Effect } from "effect"

/** An instruction of a Dockerfile. Its lines are one text, without comments between them. */
export interface Instruction {
  readonly keyword: string
  /** Number of its first line, from 1. */
  readonly line: number
  /** Options in front of its words, such as `--from=one`. */
  readonly flags: ReadonlyArray<string>
  /** The words, as they are written. */
  readonly words: ReadonlyArray<string>
}

/** Instructions that this folder reads. */
const READ = ["ARG", "FROM", "COPY", "RUN"]

const parser = Effect.promise(() => import("./parser.ts"))

/** Splits a text at blanks that are not between quotes, and leaves the quotes. */
const wordsOf = (text: string): ReadonlyArray<string> =>
  text.match(/(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^ \t\n\r\v\f\\'"]|["'\\])+/gs) ?? []

/** The instructions that name images, or variables of their names. */
export const instructionsOf = (text: string): Effect.Effect<ReadonlyArray<Instruction>> =>
  Effect.map(
    parser,
    ({ DockerfileParser }) =>
      DockerfileParser.parse(text).getInstructions().flatMap((one): ReadonlyArray<Instruction> => {
        const keyword = one.getKeyword()
        if (!READ.includes(keyword)) return []
        return [{
          keyword,
          line: one.getRange().start.line + 1,
          // The classes of FROM, COPY and RUN have the same method.
          flags: keyword === "ARG" ? [] : (one as Copy).getFlags().map(String),
          words: keyword === "RUN" ? [] : wordsOf(one.getArgumentsContent()?.trim() ?? "")
        }]
      })
  )
