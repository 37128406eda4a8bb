/** A manual page in man(7)'s macros, without a date: equal documents give equal pages. */
export const roff = ({ name, parts: [first, ...more], seeAlso, summary, version }) =>
  [
    `.TH ${name.toUpperCase()} 1 "" "pyro ${version}" "pyro"`,
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(summary)}`,
    ...orderedSections(first.document).flatMap(section),
    ...more.flatMap((
      { document, title }
    ) => [`.SH ${escaped(title)}`, ...orderedSections(document).flatMap(subsection)]),
    ".SH SEE ALSO",
    seeAlso.map((page) => `.BR ${escaped(page)} (1)`).join(",\n"),
    ""
  ].join("\n")

/** The usage first, as manual pages have it. */
const orderedSections = (document) => {
  const [opening, ...others] = sectionsOf(document)
  const isUsage = ({ title }) => title === "Usage"
  return [
    { title: "Synopsis", blocks: others.filter(isUsage).flatMap(({ blocks }) => blocks) },
    { title: "Description", blocks: opening.blocks },
    ...others.filter((one) => !isUsage(one))
  ].filter(({ blocks }) => blocks.length > 0)
}

const section = ({ blocks, title }) => [`.SH ${title.toUpperCase()}`, ...blocks.flatMap(blockLines)]
const subsection = ({ blocks, title }) => [`.SS ${title}`, ...blocks.flatMap(blockLines)]

/** Blocks up to the first header, then those of each header. */
const sectionsOf = (blocks) => {
  const sections = [{ title: "", blocks: [] }]
  for (const block of blocks) {
    if (block._tag === "Header") sections.push({ title: block.text, blocks: [] })
    else sections.at(-1).blocks.push(block)
  }
  return sections
}

const blockLines = (block) => {
  switch (block._tag) {
    case "Paragraph":
      return [".PP", ...block.text.split("\n").map(escaped)]
    case "Lines":
      return [".PP", ".nf", ...block.lines.map(escaped), ".fi"]
    case "Rows":
      return block.rows.flatMap(([term, description]) => [
        ".TP",
        `.B ${escaped(term)}`,
        ...description.split("\n").map(escaped)
      ])
  }
}

/** A hyphen that can be copied, a backslash, and no line that begins with a request. */
const escaped = (text) => text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^([.'])/, "\\&$1")
