import type { Change, Side } from "../../../../src/lib/patch/model/patch.ts"
import { file, link, type Tree } from "./trees.ts"

/** A small generator of random numbers (mulberry32): the same seed, the same cases, everywhere. */
export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }
  pick<A>(from: ReadonlyArray<A>): A {
    return from[this.below(from.length)]!
  }
  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)))
  }
}

/** What a case has in it. Each must be in at least 5 % of the cases. */
export const classes = [
  "new file",
  "deleted file",
  "edited text",
  "mode",
  "new link",
  "deleted link",
  "retargeted link",
  "rename as it is",
  "rename with edits",
  "new binary",
  "edited binary",
  "deleted binary",
  "CRLF",
  "no newline at end",
  "new empty file",
  "deleted empty file",
  "name with a space",
  "name with a quote",
  "name with a newline",
  "name not in UTF-8",
  "file to link",
  "link to file",
  "file to directory",
  "directory to file"
] as const
export type Class = (typeof classes)[number]

export interface Case {
  readonly before: Tree
  readonly changes: ReadonlyArray<Change>
  readonly has: ReadonlySet<Class>
}

const words = [
  "alpha",
  "beta",
  "}",
  "",
  "  indented",
  "\ttab",
  "--- a/x",
  "+++ b/x",
  "@@ -1 +1 @@",
  "-",
  "\\ no",
  "gr\xf6\xdfe"
]

const lines = (random: Random, count: number) =>
  Array.from({ length: count }, () => random.below(3) === 0 ? random.pick(words) : `line ${random.below(40)}`)

/** Text with or without a newline at its end, with LF, CRLF or both. */
const text = (random: Random, count = 1 + random.below(30)): Buffer => {
  const eol = random.below(5) === 0 ? "\r\n" : "\n"
  const all = lines(random, count).map((line) => line + (random.below(60) === 0 ? "\r\n" : eol)).join("")
  return Buffer.from(random.below(4) === 0 ? all.replace(/\r?\n$/, "") || "x" : all, "latin1")
}

const binary = (random: Random) => Buffer.concat([random.bytes(random.below(200)), Buffer.from([0]), random.bytes(9)])

const name = (random: Random): string => {
  const stem = `${random.pick(["main", "lib", "x", ".config", "-dash", "a", "b", "A"])}${random.below(1000)}`
  switch (random.below(9)) {
    case 0:
      return random.pick([`${stem} spaced.txt`, ` ${stem}`, `${stem} `, `${stem} b/${stem}`, `a  ${stem}`])
    case 1:
      return random.pick([`${stem}"quoted"`, `"${stem}`, `${stem}\\back`, `it's ${stem}`])
    case 2:
      return random.pick([`${stem}\nnewline`, `${stem}\n`, `\n${stem}`, `${stem}\ttab\r`])
    case 3:
      return random.pick([`${stem}\xff`, `gr\xc3\xb6\xc3\x9fe${stem}`, `\xa0${stem}\xa0`, `${stem}\x01\x7f`])
    default:
      return stem
  }
}

const path = (random: Random) =>
  Array.from({ length: 1 + (random.below(3) === 0 ? 1 + random.below(2) : 0) }, () => name(random)).join("/")

const content = (random: Random): Buffer => {
  const kind = random.below(10)
  return kind < 2 ? binary(random) : kind < 4 ? Buffer.alloc(0) : text(random)
}

const mode = (random: Random): Side["mode"] => random.below(4) === 0 ? 0o100755 : 0o100644

const target = (random: Random) => random.pick(["../out", "/etc/passwd", "a b", "x\xff", "line\nfeed", name(random)])

const isBinary = (side: Side) => side.content.includes(0)

/** A few lines taken out, put in and changed. */
const editedText = (random: Random, before: Uint8Array): Buffer => {
  const all = Buffer.from(before).toString("latin1").split(/(?<=\n)/)
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(all.length + 1)
    const put = lines(random, random.below(4)).map((line) => `${line} ${random.below(9)}\n`)
    all.splice(at, random.below(3), ...put)
  }
  if (random.below(6) === 0) all.push("no newline")
  else if (random.below(6) === 0) all.push(all.pop()?.replace(/\n$/, "") ?? "")
  return Buffer.from(all.join(""), "latin1")
}

const editedContent = (random: Random, side: Side): Side => ({
  ...side,
  content: isBinary(side) || random.below(12) === 0
    ? random.below(3) === 0 ? text(random) : binary(random)
    : random.below(15) === 0
    ? Buffer.alloc(0)
    : editedText(random, side.content)
})

/** A tree of some files and a few edits of it. */
export const makeCase = (random: Random): Case => {
  const before: Tree = new Map()
  const isFree = (wanted: string, ...trees: ReadonlyArray<Tree>) =>
    trees.every((tree) =>
      Array.from(tree.keys()).every((known) =>
        known !== wanted && !known.startsWith(`${wanted}/`) && !wanted.startsWith(`${known}/`)
      )
    )
  const freePath = (...trees: ReadonlyArray<Tree>) => {
    for (;;) {
      const wanted = path(random)
      if (isFree(wanted, ...trees)) return wanted
    }
  }
  for (let count = 5 + random.below(6); count > 0; count--) {
    const side = random.below(4) === 0 ? link(target(random)) : file(content(random), mode(random))
    before.set(freePath(before), side)
  }
  const after = new Map(before)
  const changes: Array<Change> = []
  const add = (change: { path: string; from?: string; before?: Side | undefined; after?: Side | undefined }) => {
    if (change.before !== undefined) after.delete(change.from ?? change.path)
    if (change.after !== undefined) after.set(change.path, change.after)
    changes.push({
      path: Buffer.from(change.path, "latin1"),
      from: change.from === undefined ? undefined : Buffer.from(change.from, "latin1"),
      before: change.before,
      after: change.after
    })
  }
  const untouched = new Map(before)
  const take = (fits: (side: Side) => boolean): readonly [string, Side] | undefined => {
    const fitting = Array.from(untouched).filter(([, side]) => fits(side))
    const taken = fitting.length === 0 ? undefined : random.pick(fitting)
    if (taken !== undefined) untouched.delete(taken[0])
    return taken
  }
  const isLink = (side: Side) => side.mode === 0o120000
  const anyFile = (side: Side) => !isLink(side)
  for (let edits = 4 + random.below(4); edits > 0; edits--) {
    const kind = random.below(16)
    const isOfLink = kind === 6 || kind === 7 || kind === 8
    const taken = kind < 3 ? undefined : take(isOfLink ? isLink : kind === 3 ? () => true : anyFile)
    if (kind < 3) {
      const fresh = kind === 0 ? link(target(random)) : file(content(random), mode(random))
      add({ path: freePath(before, after), after: fresh })
      continue
    }
    if (taken === undefined) continue
    const [at, side] = taken
    if (kind === 3) add({ path: at, before: side })
    else if (kind === 4) {
      add({ path: at, before: side, after: { ...side, mode: side.mode === 0o100644 ? 0o100755 : 0o100644 } })
    } else if (kind === 5) add({ path: at, before: side, after: link(target(random)) })
    else if (kind === 6) add({ path: at, before: side, after: file(content(random), mode(random)) })
    else if (kind === 7) add({ path: at, before: side, after: link(`${target(random)}-too`) })
    else if (kind === 8) add({ path: freePath(before, after), from: at, before: side, after: side })
    else if (kind === 9) add({ path: freePath(before, after), from: at, before: side, after: side })
    else if (kind <= 11) {
      const edited = { ...editedContent(random, side), mode: random.below(4) === 0 ? mode(random) : side.mode }
      add({ path: freePath(before, after), from: at, before: side, after: edited })
    } else if (kind === 12) {
      // What was a file is a directory now.
      add({ path: at, before: side })
      add({ path: `${at}/${name(random)}`, after: file(content(random)) })
    } else if (kind === 13) {
      const folder = at.split("/")[0]!
      const others = Array.from(after.keys()).filter((known) => known.startsWith(`${folder}/`))
      if (folder === at || others.length !== 1 || !before.has(others[0]!)) continue
      add({ path: at, before: side })
      add({ path: folder, after: file(content(random)) })
    } else add({ path: at, before: side, after: { ...editedContent(random, side), mode: side.mode } })
  }
  return { before, changes, has: classesOf(before, changes) }
}

const classesOf = (before: Tree, changes: ReadonlyArray<Change>): Set<Class> => {
  const has = new Set<Class>()
  for (const change of changes) {
    const path = Buffer.from(change.path).toString("latin1")
    const { after: now, before: old } = change
    const names = [path, ...(change.from === undefined ? [] : [Buffer.from(change.from).toString("latin1")])]
    const isSame = old !== undefined && now !== undefined && Buffer.compare(old.content, now.content) === 0
    for (const side of [old, now]) {
      if (side === undefined || isSame || side.mode === 0o120000 || isBinary(side)) continue
      const text = Buffer.from(side.content).toString("latin1")
      if (text.includes("\r\n")) has.add("CRLF")
      if (text !== "" && !text.endsWith("\n")) has.add("no newline at end")
    }
    for (const one of names) {
      if (one.includes(" ")) has.add("name with a space")
      if (/["\\]/.test(one)) has.add("name with a quote")
      if (one.includes("\n")) has.add("name with a newline")
      if (/[\x80-\xff]/.test(one) && one.includes("\xff")) has.add("name not in UTF-8")
    }
    if (old === undefined && now !== undefined) has.add(newClass(now))
    if (old !== undefined && now === undefined) has.add(deletedClass(old))
    if (old === undefined && now !== undefined) {
      const folder = Array.from(before.keys()).some((known) => known.startsWith(`${path}/`))
      if (folder) has.add("directory to file")
      if (Array.from(before.keys()).some((known) => path.startsWith(`${known}/`))) has.add("file to directory")
    }
    if (old === undefined || now === undefined) continue
    if (old.mode === 0o120000 && now.mode !== 0o120000) has.add("link to file")
    else if (old.mode !== 0o120000 && now.mode === 0o120000) has.add("file to link")
    else if (change.from !== undefined) has.add(isSame ? "rename as it is" : "rename with edits")
    else if (old.mode === 0o120000) has.add("retargeted link")
    else if (!isSame) has.add(isBinary(old) || isBinary(now) ? "edited binary" : "edited text")
    if (old.mode !== now.mode && old.mode !== 0o120000 && now.mode !== 0o120000) has.add("mode")
  }
  return has
}

const newClass = (side: Side): Class =>
  side.mode === 0o120000
    ? "new link"
    : side.content.length === 0
    ? "new empty file"
    : isBinary(side)
    ? "new binary"
    : "new file"

const deletedClass = (side: Side): Class =>
  side.mode === 0o120000
    ? "deleted link"
    : side.content.length === 0
    ? "deleted empty file"
    : isBinary(side)
    ? "deleted binary"
    : "deleted file"
