import { memo, type ReactNode } from "react"
import { printable } from "../../../../src/contract/text/printable.ts"
import type { Line, Look } from "./ansi.ts"

const cube = (value: number) => value === 0 ? 0 : 55 + 40 * value

/** Color of a number above 15 in the palette of 256 (xterm's). */
const paletteColor = (number: number) => {
  if (number >= 232) {
    const gray = 8 + 10 * (number - 232)
    return `rgb(${gray} ${gray} ${gray})`
  }
  const at = number - 16
  return `rgb(${cube(Math.floor(at / 36))} ${cube(Math.floor(at / 6) % 6)} ${cube(at % 6)})`
}

const classesOf = ({ bg, bold, dim, fg, inverse, italic, underline }: Look) =>
  [
    typeof fg === "number" && fg < 16 ? `fg${fg}` : "",
    typeof bg === "number" && bg < 16 ? `bg${bg}` : "",
    bold === true ? "bold" : "",
    dim === true ? "dim" : "",
    italic === true ? "italic" : "",
    underline === true ? "underline" : "",
    inverse === true ? "inverse" : ""
  ].filter((name) => name !== "").join(" ")

const own = (color: number | string | undefined) =>
  typeof color === "string" ? color : color !== undefined && color >= 16 ? paletteColor(color) : undefined

const styleOf = ({ bg, fg }: Look) => {
  const [color, backgroundColor] = [own(fg), own(bg)]
  return color === undefined && backgroundColor === undefined
    ? undefined
    : { ...(color && { color }), ...(backgroundColor && { backgroundColor }) }
}

/** Some lines of output, rendered once. Text without a look of its own is one node, so that a page of short lines stays light. */
export const Lines = memo(({ of }: { readonly of: ReadonlyArray<Line> }) => {
  const parts: Array<ReactNode> = []
  let plain = ""
  for (const line of of) {
    for (const { look, text } of line) {
      const [className, style] = [classesOf(look), styleOf(look)]
      if (className === "" && style === undefined) plain += printable(text)
      else {
        parts.push(plain, <span key={parts.length} className={className} style={style}>{printable(text)}</span>)
        plain = ""
      }
    }
    plain += "\n"
  }
  return <span className="block">{parts}{plain}</span>
})
