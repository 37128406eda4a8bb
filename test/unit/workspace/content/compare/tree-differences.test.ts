import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import type { ComparedSide } from "../../../../../src/lib/guest-channel/model/files.ts"
import { compose, isSameEntry } from "../../../../../src/workspace/content/compare/tree-differences.ts"
import type { Candidate } from "../../../../../src/workspace/content/diff/candidates.ts"

/** What is at a path; a file's content is a digit or two, so that many are of one size. */
type Node =
  | { readonly type: "file"; readonly content: string; readonly executable: boolean }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "directory" }
  | { readonly type: "fifo" }
type Tree = ReadonlyMap<string, Node>

const content = FastCheck.constantFrom("", "1", "2", "11", "12")
const node: FastCheck.Arbitrary<Node> = FastCheck.oneof(
  FastCheck.record({ type: FastCheck.constant("file" as const), content, executable: FastCheck.boolean() }),
  FastCheck.record({ type: FastCheck.constant("symlink" as const), target: FastCheck.constantFrom("a", "b") }),
  FastCheck.constant<Node>({ type: "directory" }),
  FastCheck.constant<Node>({ type: "fifo" })
)
const paths = ["a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/a/b", "b/a/a"]

/** Only what lies in directories is there. */
const tree: FastCheck.Arbitrary<Tree> = FastCheck.array(FastCheck.option(node, { nil: undefined }), {
  minLength: paths.length,
  maxLength: paths.length
}).map((nodes) => {
  const there = new Map<string, Node>()
  for (const [index, path] of paths.entries()) {
    const at = nodes[index]
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")))
    if (at !== undefined && (parent === "" || there.get(parent)?.type === "directory")) there.set(path, at)
  }
  return there
})

const sideOf = (at: Node | undefined): ComparedSide | undefined => {
  const none = new Uint8Array(0)
  if (at === undefined) return undefined
  switch (at.type) {
    case "file":
      return { type: "file", mode: at.executable ? 0o755 : 0o644, size: at.content.length, linkTarget: none }
    case "symlink":
      return { type: "symlink", mode: 0o777, size: at.target.length, linkTarget: Buffer.from(at.target) }
    default:
      return { type: at.type, mode: 0o755, size: 4096, linkTarget: none }
  }
}

const isSame = (one: Node | undefined, other: Node | undefined) => {
  if (one?.type !== "file" || other?.type !== "file") return isSameEntry(sideOf(one), sideOf(other))
  return one.content === other.content && one.executable === other.executable
}

/** What a guest tells of two trees that it has at hand. */
const diff = (old: Tree, after: Tree): ReadonlyArray<Candidate> =>
  paths.filter((path) => !isSame(old.get(path), after.get(path))).map((path) => ({
    path,
    old: sideOf(old.get(path)),
    new: sideOf(after.get(path))
  }))

/** The same of two trees of which each is known by its differences from its beginning alone. */
const composed = (from: Tree, to: Tree, candidates: ReturnType<typeof compose>) =>
  candidates
    .filter(({ candidate: { path }, mayBeSame }) => !mayBeSame || !isSame(from.get(path), to.get(path)))
    .map(({ candidate }) => candidate)
    .sort((one, other) => paths.indexOf(one.path) - paths.indexOf(other.path))

describe("two trees that are known by what differs from their beginning", () => {
  it("the composed difference of two trees with one baseline is their exact difference", () => {
    FastCheck.assert(
      FastCheck.property(tree, tree, tree, (beginning, from, to) => {
        const found = compose(diff(beginning, from), diff(beginning, to), [])
        assert.deepStrictEqual(composed(from, to, found), diff(from, to))
      }),
      { numRuns: 2_000 }
    )
  })

  it("the composed difference of two trees with different baselines is their exact difference", () => {
    FastCheck.assert(
      FastCheck.property(tree, tree, tree, tree, (one, other, from, to) => {
        const found = compose(diff(one, from), diff(other, to), diff(one, other))
        assert.deepStrictEqual(composed(from, to, found), diff(from, to))
      }),
      { numRuns: 2_000 }
    )
  })

  it("compare reads no content of a file that only one of two trees changed", () => {
    FastCheck.assert(
      FastCheck.property(tree, tree, (beginning, to) => {
        assert.isTrue(compose([], diff(beginning, to), []).every(({ mayBeSame }) => !mayBeSame))
        assert.deepStrictEqual(
          composed(beginning, to, compose(diff(to, beginning), [], [])),
          diff(beginning, to).map(({ path }) => ({
            path,
            old: sideOf(beginning.get(path)),
            new: sideOf(to.get(path))
          }))
        )
      }),
      { numRuns: 500 }
    )
  })

  it("two trees are equal at a path where both have the same link, directory or FIFO", () => {
    const link = sideOf({ type: "symlink", target: "x" })
    const other = sideOf({ type: "symlink", target: "y" })
    const at = (
      after: ComparedSide | undefined
    ): ReadonlyArray<Candidate> => [{ path: "l", old: undefined, new: after }]
    assert.deepStrictEqual(compose(at(link), at(link), []), [])
    assert.deepStrictEqual(compose(at(link), at(other), []), [
      { candidate: { path: "l", old: link, new: other }, mayBeSame: false }
    ])
  })
})
