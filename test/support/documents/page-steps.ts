import { assert } from "vitest"
import { isAsShown } from "./documented.ts"

/** A shell block of a page, and the output that the page shows behind the block. */
export interface PageStep {
  readonly script: string
  /** Lines of output; `…` stands for text that differs each time. */
  readonly output: ReadonlyArray<string>
}

/** The shell blocks of a page, in order. A `text` block shows the output of the shell block before it. */
export const stepsOf = (page: string): ReadonlyArray<PageStep> => {
  const blocks = [...page.matchAll(/^```(sh|text)\n([^]*?)^```$/gm)].map(([, kind, text]) => ({ kind, text: text! }))
  return blocks.flatMap(({ kind, text }, at) => {
    if (kind !== "sh") return []
    const next = blocks[at + 1]
    return [{ script: text, output: next?.kind === "text" ? next.text.split("\n").slice(0, -1) : [] }]
  })
}

/** The part of a page behind a heading of the second level. */
export const sectionOf = (page: string, heading: string) => {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  assert.isDefined(section, `the page has no section ${heading}`)
  return section!
}

/** Fails unless a step printed the lines that its page shows. */
export const assertAsShown = ({ output, script }: PageStep, printed: string) => {
  const lines = printed.split("\n").slice(0, -1)
  const fits = lines.length === output.length && lines.every((line, n) => isAsShown(line, output[n]!))
  assert.isTrue(fits, `${script}prints:\n${lines.join("\n")}\nthe page shows:\n${output.join("\n")}`)
}
