import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { circlesOf } from "./circles.mjs"

// Finds circles among the modules of the C trees of this repository, or of the directories in the arguments: `x.c` and `x.h` are the module
// `x`. A module needs another one whose header it includes, and one that defines a function or a variable that it uses, so a header that
// several modules share hides none. Ends with status 1 if there is a circle.

/** Blanks of comments, literals and directives, so that braces and words are those of the code alone. */
const codeOf = (text) =>
  text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, " ")
    .replace(/^[ \t]*#(?:\\\n|[^\n])*/gm, "")
    .replace(/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|_Static_assert\s*\([^;]*\)\s*;|\b_Noreturn\b/g, " ")

/** Heads of the definitions at the top level: the text before the body, the initialiser or the semicolon. */
const definedIn = (code) => {
  const heads = []
  let depth = 0
  let head = ""
  for (const character of code) {
    const isPrototype = head.includes("(") && !head.includes("=")
    if (depth === 0 && (character === "{" || (character === ";" && !isPrototype))) heads.push(head.trim())
    if (character === "{") depth++
    else if (depth === 0) head = character === ";" ? "" : head + character
    else if (character === "}" && --depth === 0 && head.trim().endsWith(")")) head = ""
  }
  return heads.filter((text) => !/^(?:extern|typedef)\b/.test(text) && !/^(?:enum|struct|union)\s*\w*$/.test(text))
}

/** Name of the function or variable that a head is about. */
const nameOf = (head) => /([A-Za-z_]\w*)\s*(?:\(|(?:\[[^\]]*\]\s*)*(?:=|$))/.exec(head)?.[1]

const definitionsOf = (code) => {
  const heads = definedIn(code)
  const isPrivate = (head) => /\bstatic\b/.test(head)
  return {
    shared: new Set(heads.filter((head) => !isPrivate(head)).map(nameOf)),
    own: new Set(heads.filter(isPrivate).map(nameOf))
  }
}

const TYPE_BODY = /\b((?:struct|union|enum)\s*\w*\s*)\{[^{}]*\}/g

/** Words that may name a function or a variable: no members, no tags of types. */
const wordsOf = (code) => {
  let text = code
  while (TYPE_BODY.test(text)) text = text.replace(TYPE_BODY, "$1")
  return new Set(
    [...text.matchAll(/(?<![\w.]|->\s*|\b(?:struct|union|enum)\s+)[A-Za-z_]\w*/g)].map(([word]) => word)
  )
}

const sourcesBeneath = (folder) =>
  readdirSync(folder, { recursive: true }).filter((name) => /\.[ch]$/.test(name)).map((name) => join(folder, name))

const moduleOf = (file) => file.slice(0, -2)

/** Modules that each module of a tree needs. */
export const needsOf = (folder) => {
  const files = sourcesBeneath(folder).map((file) => {
    const text = readFileSync(file, "utf8")
    const code = codeOf(text)
    const included = [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name]) => resolve(dirname(file), name))
    return { file, included, words: wordsOf(code), ...definitionsOf(code) }
  })
  const definers = new Map()
  for (const { file, shared } of files) {
    for (const name of shared) definers.set(name, [...(definers.get(name) ?? []), file])
  }
  /** Programs of one tree may have functions of the same name. */
  const definerOf = (name, from) => {
    const all = definers.get(name) ?? []
    return all.length === 1 ? all[0] : all.find((file) => dirname(file) === dirname(from))
  }
  const needs = new Map(files.map(({ file }) => [moduleOf(file), new Set()]))
  for (const { file, included, own, words } of files) {
    const used = file.endsWith(".h")
      ? []
      : [...words].filter((word) => !own.has(word)).map((word) => definerOf(word, file))
    for (const other of [...included, ...used]) {
      if (other !== undefined && moduleOf(other) !== moduleOf(file)) needs.get(moduleOf(file)).add(moduleOf(other))
    }
  }
  return needs
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("../..", import.meta.url))
  const given = process.argv.slice(2).map((folder) => resolve(folder))
  const trees = given.length > 0 ? given : [join(root, "guest-agent", "src"), join(root, "native")]
  const circles = trees.flatMap((tree) =>
    circlesOf(needsOf(tree)).map((circle) =>
      `${basename(tree)}: ${circle.map((name) => relative(tree, name)).join(", ")}`
    )
  )
  for (const circle of circles) process.stderr.write(`a circle of C modules in ${circle}\n`)
  process.exitCode = circles.length === 0 ? 0 : 1
}
