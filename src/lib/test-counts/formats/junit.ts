import type { Format } from "./format.ts"

/** Longest tag that is read. */
const MAX_TAG = 8_192

/** JUnit XML in the output. Each `<testcase>` is counted: not every program writes the sums into the elements around it. */
export const junit = (): Format => {
  /** The tag that the output is in, without `<`. */
  let tag: string | undefined
  let isReport = false
  let test: "passed" | "failed" | "skipped" | undefined
  const seen = { passed: 0, failed: 0, skipped: 0 }

  const end = () => {
    if (test !== undefined) seen[test]++
    test = undefined
  }

  /** Whether it is a tag of a report. */
  const read = (text: string): boolean => {
    const [name = ""] = /^\/?[a-z]{1,16}/.exec(text) ?? []
    if (name === "testsuite" || name === "testsuites") isReport = true
    if (!isReport) return false
    if (name === "testcase") {
      end()
      test = "passed"
      if (text.endsWith("/")) end()
    } else if (name === "/testcase") end()
    else if (test !== undefined && (name === "failure" || name === "error")) test = "failed"
    else if (test === "passed" && name === "skipped") test = "skipped"
    return true
  }

  return {
    piece: (text) => {
      let isFound = false
      for (let at = 0; at < text.length;) {
        if (tag === undefined) {
          const from = text.indexOf("<", at)
          if (from < 0) break
          tag = ""
          at = from + 1
          continue
        }
        const to = text.indexOf(">", at)
        const more = text.slice(at, to < 0 ? undefined : to)
        // What came before was no tag: an attribute has no `<`.
        const again = more.lastIndexOf("<")
        tag = again < 0
          ? tag + more.slice(0, Math.max(0, MAX_TAG - tag.length))
          : more.slice(again + 1, again + 1 + MAX_TAG)
        if (to < 0) break
        isFound = read(tag) || isFound
        tag = undefined
        at = to + 1
      }
      return isFound
    },
    counts: () => ({ format: "junit", ...seen })
  }
}
