import { execFileSync, spawnSync } from "node:child_process"
import { assert, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"

const python = (code: string, input: unknown) =>
  execFileSync("python3", ["-c", `${imageModules}\nfrom pyro_image import features as f\n${code}`], {
    input: JSON.stringify(input),
    encoding: "utf8"
  })

interface Feature {
  readonly id: string
  readonly after?: ReadonlyArray<string>
  readonly needs?: ReadonlyArray<string>
}

const order = `
given = json.load(sys.stdin)
made = {one["id"]: f.Feature(one["id"], {}, "", {"installsAfter": one.get("after", [])}) for one in given["features"]}
for one in given["features"]:
    made[one["id"]].needs = [made[name] for name in one.get("needs", [])]
try:
    print(json.dumps([one.id for one in f.in_order(list(made.values()), given["first"])]))
except f.FeatureRefused as refused:
    print(json.dumps(str(refused)))
`

describe("features in the builder", () => {
  it.each<[string, ReadonlyArray<Feature>, ReadonlyArray<string>, ReadonlyArray<string>]>([
    ["by their ids", [{ id: "r/b:1" }, { id: "r/a:2" }], [], ["r/a:2", "r/b:1"]],
    ["after those that they need", [{ id: "r/a:1", needs: ["r/b:1"] }, { id: "r/b:1" }], [], ["r/b:1", "r/a:1"]],
    ["after those that they name", [{ id: "r/a:1", after: ["r/b"] }, { id: "r/b:7" }], [], ["r/b:7", "r/a:1"]],
    ["without those that are not there", [{ id: "r/a:1", after: ["r/x"] }, { id: "r/b:1" }], [], ["r/a:1", "r/b:1"]],
    ["in the person's order first", [{ id: "r/a" }, { id: "r/b" }, { id: "r/c" }], ["r/c", "r/b"], [
      "r/c",
      "r/b",
      "r/a"
    ]]
  ])("are installed %s", (_, features, first, expected) => {
    assert.deepStrictEqual(JSON.parse(python(order, { features, first })), expected)
  })

  it("that need each other are refused", () => {
    const features = [{ id: "r/a", needs: ["r/b"] }, { id: "r/b", needs: ["r/a"] }]
    assert.match(JSON.parse(python(order, { features, first: [] })), /in a circle: r\/a, r\/b/)
  })

  it.each([
    ["ghcr.io/devcontainers/features/node:1", ["docker://ghcr.io/devcontainers/features/node:1"]],
    ["ghcr.io/a/b", ["docker://ghcr.io/a/b:latest"]],
    ["localhost:5000/a/b:1", ["--src-tls-verify=false", "docker://host.pyro.internal:5000/a/b:1"]],
    ["node", undefined],
    ["https://example.com/devcontainer-feature-x.tgz", undefined]
  ])("%s is a reference, or refused by name", (id, source) => {
    const code = `
try:
    print(json.dumps(f.source_of(json.load(sys.stdin))))
except f.FeatureRefused as refused:
    print("null")
`
    assert.deepStrictEqual(JSON.parse(python(code, id)), source ?? null)
  })

  it("an option is a word for the shell, whatever it says", () => {
    const code = `
import os, tempfile
folder = tempfile.mkdtemp()
feature = f.Feature("r/a", json.load(sys.stdin), folder, {})
f.recipe_of([feature], "base", {"container": "root", "remote": "a b'c", "image": "root"})
script = open(folder + "/pyro-install.sh").read()
print(script.split("cd /.pyro-feature")[0] + "printf '%s|' \\"$A_B\\" \\"$_C\\" \\"$ON\\" \\"$_REMOTE_USER\\"")
`
    const script = python(code, { "a.b": "$(id) 'x' \"y\"\n`z`", "1c": 7, "on": true })
    const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8" })
    assert.strictEqual(stdout, "$(id) 'x' \"y\"\n`z`|7|true|a b'c|")
  })

  it("reads JSON with comments", () => {
    const text = `{ // one\n "a": "b // c", /* two */ "d": [1, 2,], }`
    const code = `print(f.without_comments(json.load(sys.stdin)))`
    assert.deepStrictEqual(JSON.parse(python(code, text)), { a: "b // c", d: [1, 2] })
  })
})
