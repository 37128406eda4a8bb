import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const checker = path.resolve(import.meta.dirname, "../../../scripts/check/c-circles.mjs")

/** Checks a tree of these files; gives the exit status and the circles. */
const check = (files: Readonly<Record<string, string>>) => {
  const { folder, remove } = temporaryFolder("pyro-circles-")
  try {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      fs.writeFileSync(path.join(folder, name), text)
    }
    const { status, stderr } = spawnSync(process.execPath, [checker, folder], { encoding: "utf8" })
    return { status, circles: stderr.split("\n").slice(0, -1).map((line) => line.replace(/^.*: /, "")) }
  } finally {
    remove()
  }
}

const none = { status: 0, circles: [] }

describe("the check for circles among C modules", () => {
  it("two modules that include each other's headers are a circle", () => {
    const files = {
      "a.h": "int a(void);\n",
      "a.c": "#include \"b.h\"\n",
      "b.h": "int b(void);\n",
      "b.c": "#include \"a.h\"\n"
    }
    assert.deepStrictEqual(check(files), { status: 1, circles: ["a, b"] })
    assert.deepStrictEqual(check({ ...files, "b.c": "#include \"b.h\"\n" }), none)
  })

  it("a header that modules share hides no circle of calls, also through a third module", () => {
    const shared = "void first(void);\nvoid second(void);\nextern const int third[2];\nvoid (*fourth(void))(int);\n"
    const files = {
      "all.h": shared,
      "one.c": "#include \"all.h\"\nvoid first(void)\n{\n    if (third[0])\n        second();\n}\n",
      "sub/two.c": "#include \"../all.h\"\nvoid second(void) { (void)third; }\n",
      "three.c":
        "#include \"all.h\"\nextern void first(void);\nstatic void (*const starts[])(void) = {first};\nconst int third[2] = {1, 2};\n"
    }
    assert.deepStrictEqual(check(files), { status: 1, circles: ["one, sub/two, three"] })
    assert.deepStrictEqual(check({ ...files, "three.c": "const int third[2] = {1, 2};\n" }), none)
  })

  it("members, tags, comments, texts and functions of the module's own are no calls", () => {
    assert.deepStrictEqual(
      check({
        "a.h": "void a(void);\nvoid run(void);\n",
        "a.c": "#include \"a.h\"\n#include \"b.h\"\nvoid a(void) { b(); }\nvoid run(void) {}\n",
        "b.h": "void b(void);\n",
        "b.c": "#include \"b.h\"\nstruct a { int a; };\nstatic void run(void) {}\n"
          + "/* a() */\nvoid b(void) { struct a x = {.a = 1}; x.a = (&x)->a; log(\"a()\"); run(); }\n"
      }),
      none
    )
  })

  it("programs of one tree may have functions of the same name", () => {
    const main = "void work(void);\nint main(void) { work(); }\n"
    const files = {
      "one/main.c": main,
      "one/work.c": "void work(void) {}\n",
      "two/main.c": main,
      "two/work.c": "void work(void) {}\n"
    }
    assert.deepStrictEqual(check(files), none)
    assert.deepStrictEqual(
      check({ ...files, "two/main.c": `${main}void end(void) {}\n`, "two/work.c": "void work(void) { end(); }\n" }),
      { status: 1, circles: ["two/main, two/work"] }
    )
  })
})
