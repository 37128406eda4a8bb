import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { nativeDirectory } from "../../src/system/processes/native.ts"
import { buildFake } from "./build-fake.ts"
import { type Binary, run, shell } from "./cli-process.ts"

const built = buildFake()
const binary: Binary = { ...built, env: { ...built.env, PYRO_NATIVE_DIR: nativeDirectory() } }
const file = path.join(built.folder, "input")
/** Longer than a pipe: the writer waits, and ends with pyro. */
const long = path.join(built.folder, "long")

const noticeOf = (verb: string) =>
  `pyro: notice: standard input was not passed to the command. To pass it: pyro ${verb} -i …\n`

beforeAll(async () => {
  writeFileSync(file, "one\ntwo\n")
  writeFileSync(long, "x".repeat(300_000))
  assert.strictEqual((await run(binary, ["workspace", "create", "--name", "fix"])).status, 0)
})

/** Each form of a command, which reads its own standard input, and the verb that its notice names. */
const forms: ReadonlyArray<readonly [form: string, verb: string, args: ReadonlyArray<string>]> = [
  ["run", "run", ["run", "debian:12", "--", "true"]],
  ["exec before the program is loaded", "exec", ["exec", "fix", "--", "true"]],
  ["exec of the loaded program", "exec", ["exec", "fix", "--env", "A=b", "--", "true"]]
]

describe.each(forms)("a standard input that %s does not pass to the command", (_, verb, args) => {
  it.each([
    ["a pipe with a line", "echo x | \"$@\""],
    ["a pipe with more than it holds", `cat ${long} | "$@"`],
    ["a file", `"$@" < ${file}; true`],
    ["a text of the shell", "\"$@\" <<< text; true"]
  ])("is named if it is %s", async (_, line) => {
    assert.strictEqual((await shell(binary, line, args)).stderr, noticeOf(verb))
  })

  it.each([
    ["no text", "true | \"$@\""],
    ["closed", "\"$@\" <&-; true"],
    ["/dev/null", "\"$@\" < /dev/null; true"],
    ["an empty file", ": > empty; \"$@\" < empty; rm empty"],
    ["silent and open", "sleep 5 | \"$@\""],
    ["for a program behind pyro", "printf 'a\\nb\\n' | { \"$@\"; cat; }"],
    ["a file for a program behind pyro", `exec < ${file}; "$@"; cat`],
    ["a pipe of a loop", "printf 'a\\nb\\n' | while read -r name; do \"$@\"; echo $name; done"],
    [
      "a pipe of a loop in the shell itself",
      "set +m; shopt -s lastpipe; printf 'a\\nb\\n' | while read -r name; do \"$@\"; echo $name; done"
    ],
    ["a file of a loop", `while read -r name; do "$@"; echo $name; done < ${file}`],
    ["a file of a loop at another descriptor", `while read -r name <&3; do "$@" <&3; done 3< ${file}`]
  ])("is not named if it is %s", async (_, line) => {
    const { stderr, stdout } = await shell(binary, `cd ${built.folder}; ${line}`, args)
    assert.strictEqual(stderr, "")
    if (line.includes("name; done") && line.includes("echo")) assert.lengthOf(stdout.toString().trim().split("\n"), 2)
    if (line.endsWith("cat; }")) assert.strictEqual(stdout.toString(), "a\nb\n")
    if (line.endsWith("; cat")) assert.strictEqual(stdout.toString(), readFileSync(file, "utf8"))
  })
})

describe("a standard input", () => {
  it("is not named if the command gets it, or the caller wants no notices", async () => {
    const of = async (line: string, ...args: ReadonlyArray<string>) => (await shell(binary, line, args)).stderr
    assert.strictEqual(await of("echo x | \"$@\"", "run", "-i", "debian:12", "--", "cat"), "")
    assert.strictEqual(await of("echo x | \"$@\"", "exec", "-i", "fix", "--", "cat"), "")
    assert.strictEqual(await of("echo x | \"$@\"", "run", "--quiet", "debian:12", "--", "true"), "")
    assert.strictEqual(await of("echo x | \"$@\"", "exec", "fix", "--json", "--", "true"), "")
    assert.notInclude(await of("echo x | \"$@\"", "exec", "fix", "--detach", "--", "true"), "standard input")
  })
})
