import * as AutoCorrect from "@effect/cli/AutoCorrect"
import * as CliConfig from "@effect/cli/CliConfig"

/** The only candidate that begins with `word`, else the one that differs from it in at most two letters, if any. */
export const closest = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  const [longer, ...others] = candidates.filter((candidate) => candidate.startsWith(word))
  return longer !== undefined && others.length === 0 ? longer : similar(word, candidates)
}

const similar = (word: string, candidates: ReadonlyArray<string>): string | undefined =>
  candidates
    .map((candidate) => ({
      candidate,
      distance: AutoCorrect.levensteinDistance(word, candidate, CliConfig.defaultConfig)
    }))
    // Of a word of two letters nothing would be left.
    .filter(({ distance }) => distance <= 2 && distance < word.length)
    .sort((a, b) => a.distance - b.distance)[0]?.candidate
