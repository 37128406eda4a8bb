import { assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { run, shell } from "./cli-process.ts"

const binary = buildFake()

beforeAll(async () => {
  assert.strictEqual((await run(binary, ["workspace", "create", "--name", "bytes"])).status, 0)
})

/** Runs a line of bash, in which `"$@"` is pyro. */
const line = async (text: string) => {
  const { status, stderr, stdout } = await shell(binary, text, [])
  return { status, stdout: stdout.toString(), stderr }
}

describe("bytes that are not UTF-8", () => {
  it.each([
    ["an argument of the quick exec", "exec bytes -- printf %s $'caf\\xe9'", "argument 6 is not UTF-8: \"caf\\351\""],
    ["an option's value", "exec bytes --env V=$'a\\xe9' -- true", "argument 4 is not UTF-8: \"V=a\\351\""],
    ["a script", "exec bytes --script \"$(printf 'echo \\xe9')\"", "argument 4 is not UTF-8: \"echo \\351\""],
    ["a path", "cp /tmp/$'l\\xe9' bytes:/tmp/", "argument 2 is not UTF-8: \"/tmp/l\\351\""],
    ["a server's option", "mcp serve --project-path /tmp/$'l\\xe9'", "argument 4 is not UTF-8: \"/tmp/l\\351\""],
    ["an unknown command", "$'caf\\xe9'", "argument 1 is not UTF-8: \"caf\\351\""]
  ])("pyro refuses %s, and shows where", async (_, words, detail) => {
    const { status, stderr, stdout } = await line(`"$@" ${words}`)
    assert.deepStrictEqual([status, stdout], [2, ""])
    assert.include(stderr, `pyro: ${detail}. pyro takes only UTF-8 as arguments`)
  })

  it("pyro reports the refusal as JSON", async () => {
    const { status, stdout } = await line("\"$@\" exec bytes --json -- true $'\\xff'")
    assert.strictEqual(status, 2)
    assert.strictEqual(JSON.parse(stdout).error.code, "invalid_request")
  })

  it("pyro takes a U+FFFD that the person typed", async () => {
    assert.deepStrictEqual(await line("\"$@\" exec bytes -- printf %s $'\\ufffd'"), {
      status: 0,
      stdout: "\ufffd",
      stderr: ""
    })
  })

  it("pyro refuses a directory in a variable", async () => {
    const { status, stderr } = await line("PYRO_STATE_DIR=/tmp/$'\\xe9' \"$@\" exec bytes -- true")
    assert.strictEqual(status, 125)
    assert.include(stderr, "the environment variable PYRO_STATE_DIR is")
    assert.include(stderr, "allowed: text in UTF-8")
  })

  it.each([
    "create --secret-env TOKEN",
    "run --secret-env TOKEN true",
    "run --secret-mount TOKEN true",
    "mcp serve --secret-env TOKEN",
    "env pull registry.test/x --registry-auth-env registry.test=TOKEN"
  ])(
    "pyro %s refuses the value of a secret",
    async (words) => {
      const { status, stderr } = await line(`TOKEN=$'\\xe9' "$@" ${words}`)
      assert.deepStrictEqual([status, stderr.includes("the variable TOKEN is not UTF-8")], [2, true], stderr)
    }
  )

  it("pyro names a working directory whose path it cannot show", async () => {
    const { status, stderr } = await line(
      "at=$(mktemp -d)/$'\\xe9'; mkdir \"$at\"; cd \"$at\"; \"$@\" create --seed-path ."
    )
    assert.strictEqual(status, 2)
    assert.include(stderr, "or its path is not UTF-8")
  })
})
