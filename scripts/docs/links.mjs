import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

// Finds dead links in the Markdown pages of this repository, or of a directory in the argument, and pages beneath docs that the README leads
// to on no way. Links are those to files, headings and lines, and paths of the repository in code spans. Ends with status 1 if one is found.

const FENCE = /^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\2[`~]*[ \t]*$|$(?![\s\S]))/gm
const CODE_SPAN = /(`+)(?!`)([^\n]*?[^`\n])\1(?!`)/g
/** `[text](target)`, an image's too, and the definition `[name]: target`. A title may follow the target. */
const INLINE_LINK = /\]\(\s*(?:<([^>\n]*)>|((?:[^\s()]|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:\s*(?:<([^>\n]*)>|(\S+))/gm
/** A path of the repository in prose. `*`, `…`, `<` and `{` stand for several paths, or for none. */
const REPOSITORY_PATH = /^(?:src|test|scripts|docs|guest-agent|native|bench|examples|rootfs)\/[\w./-]*$/
/** Paths that exist once something is built. */
const BUILT = /\/build(?:\/|$)/

/** Replaces matches by blanks, so that positions stay. */
const blanked = (text, pattern) => text.replace(pattern, (found) => found.replace(/[^\n]/g, " "))
const lineAt = (text, index) => text.slice(0, index).split("\n").length

/** The anchors of a page's headings, as GitHub makes them: lower case, without punctuation, numbered if they repeat. */
const anchorsOf = (text) => {
  const seen = new Map()
  const anchors = new Set()
  for (const [, heading] of blanked(text, FENCE).matchAll(/^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#*)?[ \t]*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
    const anchor = words.replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-")
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`)
  }
  for (const [, id] of text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id)
  return anchors
}

/** Links and paths of one page, each with its line. */
const targetsOf = (text) => {
  const prose = blanked(text, FENCE)
  const links = blanked(prose, CODE_SPAN)
  return [
    ...[INLINE_LINK, DEFINITION].flatMap((pattern) =>
      [...links.matchAll(pattern)].map((found) => ({ kind: "link", target: found[1] ?? found[2], index: found.index }))
    ),
    ...[...prose.matchAll(CODE_SPAN)]
      .map((found) => ({ kind: "path", target: found[2].trim(), index: found.index }))
      .filter(({ target }) => REPOSITORY_PATH.test(target) && !BUILT.test(target))
  ].map(({ index, ...rest }) => ({ ...rest, line: lineAt(text, index) }))
}

const isAnchor = (file, anchor) => {
  const text = readFileSync(file, "utf8")
  if (file.endsWith(".md")) return anchorsOf(text).has(anchor)
  const lines = /^L(\d+)(?:-L(\d+))?$/.exec(anchor)
  return lines !== null && Number(lines[2] ?? lines[1]) <= text.split("\n").length
}

/** Why a link of `page` leads nowhere, or `undefined`. */
const whyDead = (root, page, { kind, target }) => {
  if (kind === "path") return existsSync(join(root, target)) ? undefined : "no such file"
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined
  const [name, anchor] = decodeURI(target).split("#")
  const file = name === "" ? join(root, page) : join(root, dirname(page), name)
  if (relative(root, file).startsWith("..")) return "outside the repository"
  if (!existsSync(file)) return "no such file"
  return anchor === undefined || isAnchor(file, anchor) ? undefined : "no such heading or line"
}

/** Dead links of `pages`, which are relative to `root`, one line of text each. The changelog may name former paths. */
const deadLinks = (root, pages) =>
  pages.flatMap((page) =>
    targetsOf(readFileSync(join(root, page), "utf8"))
      .filter(({ kind }) => kind === "link" || page !== "CHANGELOG.md")
      .flatMap((one) => {
        const why = whyDead(root, page, one)
        return why === undefined ? [] : [`${page}:${one.line}: ${one.target}: ${why}`]
      })
  )

/** Pages that one page links to. */
const linkedPages = (root, page) =>
  targetsOf(readFileSync(join(root, page), "utf8"))
    .filter(({ kind, target }) => kind === "link" && !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .map(({ target }) => join(dirname(page), decodeURI(target).split("#")[0]))

/** Pages beneath docs that no chain of links reaches from the README, one line of text each; none without a README. */
const unreachable = (root, pages) => {
  const reached = new Set(pages.filter((page) => page === "README.md"))
  // A page that is added to a set during the loop is visited, too.
  for (const page of reached) {
    for (const linked of linkedPages(root, page)) if (pages.includes(linked)) reached.add(linked)
  }
  return reached.size === 0 ? [] : pages.filter((page) => page.startsWith("docs/") && !reached.has(page))
    .map((page) => `${page}: no page that README.md leads to has a link to it`)
}

/** The Markdown pages that git tracks or would add, without those of test fixtures. */
const markdownPages = (root) =>
  execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: root })
    .toString()
    .split("\0")
    .filter((page) => page !== "" && !page.startsWith("test/fixtures/") && existsSync(join(root, page)))

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../.."))
const pages = markdownPages(root)
const found = [...deadLinks(root, pages), ...unreachable(root, pages)]
if (found.length > 0) {
  process.stderr.write(`${found.join("\n")}\n`)
  process.exitCode = 1
}
