import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"

// The READMEs of the folders of src: writes into each what the import rules say about its folder, and finds what is wrong with the pages.

const PAGE = "README.md"
const OVERVIEW = "docs/architecture.md"
/** Folders beside src with a page, whose imports are written by hand. */
const BESIDE = ["adapters", "apps/web", "guest-agent", "native"]
/** Maximum words of a page, as `wc -w` counts them. */
const MOST_OF_FOLDER = 400
const MOST_OF_OVERVIEW = 2_000
/** The line of a page about the imports of its folder, and the line about imports from the folder. */
const IMPORTS = /^- \*\*May import:\*\*.*$/m
const IMPORTERS = /^- \*\*May be imported by:\*\*.*$/m
/** A table whose last column is written here. Its first column has a name of a room, as a link or in a code span. */
const TABLE = /^\| (?:room|library) \|.*\| may import \|\n\|[-|]+\|\n((?:\|.*\n)*)/gm
const ROW = /^(\|\s*\[?`?([\w-]+)\/?`?.*\|)([^|]*)\|$/

/** Whether `outer` is `folder` or above it. */
const holds = (outer, folder) => folder === outer || folder.startsWith(`${outer}/`)
const below = (folder, names) => names.filter((name) => holds(folder, name))
/** Names of folders of src. All libraries are one word. */
const listed = (names, libraries) => {
  const others = libraries.length > 1 && libraries.every((name) => names.includes(name))
    ? [...names.filter((name) => !libraries.includes(name)), "every library"]
    : names
  return others.length === 0 ? "no other folder" : others.join(", ")
}

/** The folder's own rules. A folder above several rules, such as `lib`, has those of all of them. */
const importsOf = (may, folder) => {
  const own = below(folder, Object.keys(may))
  return Object.keys(may).filter((name) => !own.includes(name) && own.some((one) => may[one].includes(name)))
}

/** `ends` are programs outside of src, which import from src alone. */
const importersOf = ({ ends = {}, may }, folder) => {
  const own = below(folder, Object.keys(may))
  return Object.entries({ ...may, ...ends })
    .filter(([name, imported]) => !own.includes(name) && own.some((one) => imported.includes(one)))
    .map(([name]) => name)
}

/** Rooms of a folder and what each may import: those of the rules for rooms, or folders with rules of their own. */
const roomsOf = ({ may, rooms }, folder) =>
  rooms[folder] ?? Object.fromEntries(
    below(folder, Object.keys(may)).filter((name) => name !== folder).map((name) => [
      name.slice(folder.length + 1),
      may[name].filter((other) => other !== "contract" && other !== "system").map((other) => other.replace("lib/", ""))
    ])
  )

/** The page with the rules of its folder. */
const withRules = (tables, folder, text) => {
  const { may } = tables
  const libraries = Object.keys(may).filter((name) => name.startsWith("lib/") && !holds(folder, name))
  const rooms = roomsOf(tables, folder)
  return text
    .replace(IMPORTS, () => `- **May import:** ${listed(importsOf(may, folder), libraries)}.`)
    .replace(IMPORTERS, () => `- **May be imported by:** ${listed(importersOf(tables, folder), libraries)}.`)
    .replace(
      TABLE,
      (table) =>
        table.replace(
          new RegExp(ROW, "gm"),
          (row, start, name) => name in rooms ? `${start} ${rooms[name].join(", ") || "-"} |` : row
        )
    )
}

/** Names in the first column of the page's tables of rooms. */
const namedRooms = (text) =>
  [...text.matchAll(TABLE)].flatMap(([, rows]) => rows.split("\n").flatMap((row) => ROW.exec(row)?.[2] ?? []))

const words = (text) => text.split(/\s+/).filter((word) => word !== "").length
const tooLong = (page, text, most) => words(text) > most ? [`${page} has ${words(text)} words: at most ${most}`] : []

const problemsOfPage = (tables, folder, page, text) => {
  const named = namedRooms(text)
  const rooms = Object.keys(roomsOf(tables, folder))
  return [
    ...tooLong(page, text, MOST_OF_FOLDER),
    ...below(folder, Object.keys(tables.may)).length === 0
      ? []
      : [IMPORTS, IMPORTERS].filter((line) => !line.test(text)).map((line) => `${page} has no line ${line.source}`),
    ...rooms.filter((room) => !named.includes(room)).map((room) => `${page} has no row for ${room}`),
    ...named.filter((room) => !rooms.includes(room)).map((room) => `${page} has a row for ${room}, which has no rule`)
  ]
}

/** Folders that need a page: those of the first level of src, and those with rules of their own. */
const needing = (root, { may, rooms }) => [
  ...new Set([
    ...readdirSync(join(root, "src"), { withFileTypes: true }).filter((one) => one.isDirectory()).map(({ name }) =>
      name
    ),
    ...Object.keys(may),
    ...Object.keys(rooms)
  ])
]

/** What is wrong with the page of a program outside of src. */
const problemsOfEnd = (root, name) => {
  const page = `${name}/${PAGE}`
  const path = join(root, page)
  return existsSync(path) ? tooLong(page, readFileSync(path, "utf8"), MOST_OF_FOLDER) : [`${name} has no ${PAGE}`]
}

/** The pages as they should be, and sentences about what a person has to mend. */
export const folders = (root) => {
  const { tables } = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs"))
  const found = readdirSync(join(root, "src"), { recursive: true }).filter((path) => basename(path) === PAGE).sort()
    .map((path) => {
      const folder = dirname(path)
      const page = `src/${path}`
      const present = readFileSync(join(root, page), "utf8")
      return { page, folder, text: withRules(tables, folder, present) }
    })
  const overview = readFileSync(join(root, OVERVIEW), "utf8")
  return {
    pages: found.map(({ page, text }) => ({ page, source: ".dependency-cruiser.cjs", text })),
    problems: [
      ...needing(root, tables).filter((folder) => !existsSync(join(root, "src", folder, PAGE)))
        .map((folder) => `src/${folder} has no ${PAGE}`),
      ...BESIDE.filter((folder) => existsSync(join(root, folder))).flatMap((folder) => {
        const page = `${folder}/${PAGE}`
        return existsSync(join(root, page))
          ? tooLong(page, readFileSync(join(root, page), "utf8"), MOST_OF_FOLDER)
          : [`${folder} has no ${PAGE}`]
      }),
      ...found.flatMap(({ folder, page, text }) => problemsOfPage(tables, folder, page, text)),
      ...Object.keys(tables.ends ?? {}).flatMap((name) => problemsOfEnd(root, name)),
      ...tooLong(OVERVIEW, overview, MOST_OF_OVERVIEW)
    ]
  }
}
