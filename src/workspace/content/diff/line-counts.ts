export interface LineCounts {
  readonly additions: number
  readonly deletions: number
  readonly binary: boolean
}

const starts = (line: string, at: number, prefix: string) => line.startsWith(prefix, at)

/** Counts the lines that a part of a git-style patch adds and takes away. Text is a byte string. */
export const lineCounts = (patch: string): LineCounts => {
  let [additions, deletions, binary, inHunk] = [0, 0, false, false]
  for (let at = 0; at < patch.length;) {
    const feed = patch.indexOf("\n", at)
    const first = patch[at]
    if (first === "@") inHunk = true
    else if (starts(patch, at, "diff --git ")) inHunk = false
    else if (inHunk && first === "+") additions++
    else if (inHunk && first === "-") deletions++
    else if (!inHunk && (starts(patch, at, "GIT binary patch\n") || starts(patch, at, "Binary files "))) binary = true
    at = feed < 0 ? patch.length : feed + 1
  }
  return { additions, deletions, binary }
}
