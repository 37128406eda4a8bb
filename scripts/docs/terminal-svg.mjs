const COLUMN = 8.4
const ROW = 19
const PADDING = 16
const TITLE = 30

/** Colours of a light and a dark page, for the classes below. Numbers are those of a terminal's palette. */
const STYLE = `
svg { --page: #ffffff; --edge: #d0d7de; --text: #1f2328; --dim: #636c76; --c1: #c0242f; --c2: #1a7f37; --c3: #9a6700; --c4: #0969da; --c5: #8250df; --c6: #0b7285; }
@media (prefers-color-scheme: dark) {
  svg { --page: #0d1117; --edge: #30363d; --text: #e6edf3; --dim: #8d96a0; --c1: #ff7b72; --c2: #3fb950; --c3: #d29922; --c4: #58a6ff; --c5: #bc8cff; --c6: #39c5cf; }
}
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--text); white-space: pre; }
rect { fill: var(--page); stroke: var(--edge); }
circle { fill: var(--edge); }
.b { font-weight: 600; } .d { fill: var(--dim); }
${[1, 2, 3, 4, 5, 6].map((colour) => `.c${colour} { fill: var(--c${colour}); }`).join(" ")}
g { animation: appear 0.15s both; }
@keyframes appear { from { opacity: 0; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { g { animation: none; } }`

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const classOf = (cell) =>
  [
    ...(cell.isBold() ? ["b"] : []),
    ...(cell.isDim() ? ["d"] : []),
    ...(cell.isFgPalette() && cell.getFgColor() >= 1 && cell.getFgColor() <= 6 ? [`c${cell.getFgColor()}`] : [])
  ].join(" ")

/** Runs of equal style in one line of a terminal. */
const runsOf = (line) => {
  const runs = []
  for (let column = 0; column < line.translateToString(true).length; column++) {
    const cell = line.getCell(column)
    const name = classOf(cell)
    const text = cell.getChars() || " "
    if (runs.at(-1)?.name === name) runs.at(-1).text += text
    else runs.push({ name, text })
  }
  return runs
}

/** One line as SVG. Its length in pixels is fixed, so that a wider font does not leave the picture. */
const textOf = (line, row) => {
  const runs = runsOf(line)
  const length = runs.reduce((sum, { text }) => sum + text.length, 0)
  if (length === 0) return []
  const spans = runs.map(({ name, text }) =>
    name === "" ? escaped(text) : `<tspan class="${name}">${escaped(text)}</tspan>`
  )
  const y = TITLE + PADDING + row * ROW + 10
  return [`<text x="${PADDING}" y="${y}" textLength="${(length * COLUMN).toFixed(1)}">${spans.join("")}</text>`]
}

/**
 * Draws the lines of a terminal as an SVG of plain text, without scripts and fonts of its own. `parts` are the rows that appear
 * together, each with the second at which they do.
 */
export const terminalSvg = ({ columns, description, lines, parts, title }) => {
  const width = Math.ceil(columns * COLUMN + 2 * PADDING)
  const height = TITLE + 2 * PADDING + lines.length * ROW - 8
  const groups = parts.map(({ from, second, to }) =>
    [
      `<g style="animation-delay:${second.toFixed(1)}s">`,
      ...lines.slice(from, to).flatMap((line, index) => textOf(line, from + index)),
      "</g>"
    ].join("\n")
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description)}</desc>
<style>${STYLE}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${[20, 38, 56].map((x) => `<circle cx="${x}" cy="19" r="5.5"/>`).join("")}
${groups.join("\n")}
</svg>
`
}
