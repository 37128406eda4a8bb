import { Result } from "effect"
import { assert, describe, it } from "vitest"
import type { Change, FormatName } from "../../../src/agent-host/format/document.ts"
import { edit } from "../../../src/agent-host/format/format.ts"

const set = (
  path: string,
  value: unknown
): Change => ({ _tag: "set", path: path.split("/"), value } as unknown as Change)
const remove = (path: string): Change => ({ _tag: "remove", path: path.split("/") } as unknown as Change)
const add = (path: string, item: string): Change => ({ _tag: "add", path: path.split("/"), item } as unknown as Change)
const take = (
  path: string,
  item: string
): Change => ({ _tag: "take", path: path.split("/"), item } as unknown as Change)

type Case = readonly [what: string, before: string, change: Change, after: string]

const cases: { readonly [Name in FormatName]: ReadonlyArray<Case> } = {
  json: [
    ["a key goes behind the last one", "{\n\t\"a\": 1\n}\n", set("b", 2), "{\n\t\"a\": 1,\n\t\"b\": 2\n}\n"],
    ["a trailing comma stays", "{\n  \"a\": 1,\n}\n", set("b", 2), "{\n  \"a\": 1,\n  \"b\": 2,\n}\n"],
    [
      "a comment stays after its key",
      "{\n  \"a\": 1 // one\n  // end\n}\n",
      set("b", 2),
      "{\n  \"a\": 1, // one\n  \"b\": 2\n  // end\n}\n"
    ],
    ["one line stays one line", "{ \"a\": 1 }", set("b", "x"), "{ \"a\": 1, \"b\": \"x\" }"],
    ["an empty object opens", "{}", set("b/c", 2), "{\n  \"b\": {\n    \"c\": 2\n  }\n}"],
    ["a comment in an empty object stays", "{ /* none */ }", set("b", 2), "{\n  \"b\": 2 /* none */ }"],
    ["a value changes in its place", "{ \"a\": [1, 2], \"b\": 1 }", set("a", true), "{ \"a\": true, \"b\": 1 }"],
    ["the first key goes", "{\n  \"a\": 1,\n  // two\n  \"b\": 2\n}\n", remove("a"), "{\n  // two\n  \"b\": 2\n}\n"],
    [
      "the last key goes with the comma before",
      "{\n  \"a\": 1, // one\n  \"b\": 2\n}\n",
      remove("b"),
      "{\n  \"a\": 1 // one\n}\n"
    ],
    ["the last key of a line goes", "{ \"a\": 1, \"b\": 2 }", remove("b"), "{ \"a\": 1 }"],
    ["a string joins a list", "{ \"l\": [\"x\"] }", add("l", "y"), "{ \"l\": [\"x\", \"y\"] }"],
    [
      "a string leaves a list",
      "{\"l\":[\n  \"x\", // first\n  \"y\"\n]}",
      take("l", "y"),
      "{\"l\":[\n  \"x\" // first\n]}"
    ]
  ],
  toml: [
    ["a value changes and its comment stays", "[s.pyro]\na = 1 # one\n", set("s/pyro/a", 2), "[s.pyro]\na = 2 # one\n"],
    [
      "a key goes to the end of its table",
      "[s.pyro]\na = \"[x]\"\n\n# next\n[t]\nb = 1\n",
      set("s/pyro/c", ["d"]),
      "[s.pyro]\na = \"[x]\"\nc = [\"d\"]\n\n# next\n[t]\nb = 1\n"
    ],
    [
      "a new table goes after the other tables of its server",
      "[s.pyro]\na = 1\n\n[t]\nb = 1\n",
      set("s/pyro/tools/x", { mode: "ask" }),
      "[s.pyro]\na = 1\n\n[s.pyro.tools.x]\nmode = \"ask\"\n\n[t]\nb = 1\n"
    ],
    [
      "tables go with their comments, and those of others stay",
      "[s.pyro]\na = 1\n# mine\nb = 2\n\n[s.pyro.env]\nc = '''\n[x]\n'''\n\n# yours\n[t]\nb = 1\n",
      remove("s"),
      "\n# yours\n[t]\nb = 1\n"
    ],
    [
      "an inline table stays inline",
      "s = { pyro = { a = 1 }, b = 2 }\n",
      set("s/pyro/a", 2),
      "s = { pyro = { a = 2 }, b = 2 }\n"
    ],
    ["an entry leaves an inline table", "s = { b = 2, pyro = { a = 1 } }\n", remove("s/pyro"), "s = { b = 2 }\n"],
    ["dotted keys are found", "s.pyro.a = 1\ns.\"x.y\".a = 3\n", set("s/pyro/a", 2), "s.pyro.a = 2\ns.\"x.y\".a = 3\n"],
    [
      "arrays over lines change whole",
      "[s.pyro]\na = [\n  1, # ]\n  2\n]\nb = 1\n",
      set("s/pyro/a", []),
      "[s.pyro]\na = []\nb = 1\n"
    ]
  ],
  yaml: [
    [
      "a key goes after the others of its section",
      "e:\n  a:\n    x: 1\n\n# about b\nb: 2\n",
      set("e/pyro", { args: ["x"] }),
      "e:\n  a:\n    x: 1\n  pyro:\n    args:\n      - x\n\n# about b\nb: 2\n"
    ],
    [
      "a value changes and comments stay",
      "e:\n    # mine\n    pyro:\n        a: 1 # one\n        b: 2\n    other: 1\n",
      set("e/pyro/b", 3),
      "e:\n    # mine\n    pyro:\n        a: 1 # one\n        b: 3\n    other: 1\n"
    ],
    [
      "the last key takes its section along",
      "a: 1\ne:\n  pyro:\n    x: 1\nb: 2 # two\n",
      remove("e"),
      "a: 1\nb: 2 # two\n"
    ],
    [
      "one key of a section goes",
      "e:\n  a: 1 # one\n  pyro:\n    x: 1\n# end\n",
      remove("e/pyro"),
      "e:\n  a: 1 # one\n# end\n"
    ],
    [
      "a flow section gets a key",
      "e: {a: {b: 1}}   # mine\nb:   [1]\n",
      set("e/pyro", { c: [1] }),
      "e: {a: {b: 1}, pyro: { \"c\": [1] }}   # mine\nb:   [1]\n"
    ],
    ["a key of a flow section changes", "e: {pyro: {a: 1}, b: 2}\n", set("e/pyro", "x"), "e: {pyro: \"x\", b: 2}\n"],
    ["the first key of a flow section goes", "e: {pyro: {a: 1}, b: 2}\n", remove("e/pyro"), "e: {b: 2}\n"],
    ["the last key of a flow section goes", "e: {b: 2, pyro: {a: 1}} # x\n", remove("e/pyro"), "e: {b: 2} # x\n"],
    ["an empty section is filled", "e:\nb: 2\n", set("e/pyro", "x"), "e:\n  pyro: x\nb: 2\n"]
  ]
}

describe.each(Object.entries(cases))("%s", (name, all) => {
  it.each(all)("%s", (_, before, change, after) => {
    assert.deepStrictEqual(edit(name as FormatName, before, [change]), Result.succeed(after))
  })
})

describe("a form that pyro cannot change", () => {
  it("fails and names the key", () => {
    const merged = "base: &base {a: 1}\ne: *base\n"
    const result = edit("yaml", merged, [set("e/pyro", "x")])
    assert.include(Result.isFailure(result) ? result.failure : JSON.stringify(result), "e.pyro")
  })
})
