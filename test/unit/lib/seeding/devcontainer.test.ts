import { Effect, Exit } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import type { BuildPlan } from "../../../../src/lib/recipe/devcontainer.ts"
import { readInputs } from "../../../../src/lib/seeding/devcontainer-inputs.ts"
import { findDevContainer } from "../../../../src/lib/seeding/devcontainer.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-devcontainer-unit-")
afterAll(remove)

const root = fs.realpathSync(folder)

/** A project with these files; a value that begins with `->` is a link. */
const project = (name: string, files: Readonly<Record<string, string | Uint8Array>>) => {
  const directory = path.join(root, name)
  for (const [file, text] of Object.entries(files)) {
    const at = path.join(directory, file)
    fs.mkdirSync(path.dirname(at), { recursive: true })
    if (typeof text === "string" && text.startsWith("->")) fs.symlinkSync(text.slice(2), at)
    else fs.writeFileSync(at, text)
  }
  return directory
}

const refusal = async <A>(work: Effect.Effect<A, { readonly message: string }>) => {
  const exit = await Effect.runPromiseExit(Effect.flip(work))
  return Exit.isSuccess(exit) ? exit.value.message : assert.fail("it was not refused")
}

describe("the devcontainer.json of a directory", () => {
  it.each([
    [[".devcontainer/devcontainer.json", ".devcontainer.json", ".devcontainer/a/devcontainer.json"], 0],
    [[".devcontainer.json", ".devcontainer/a/devcontainer.json"], 0],
    [[".devcontainer/a/devcontainer.json", "devcontainer.json"], 0]
  ])("of %j is the first", async (files, at) => {
    const directory = project(
      `first-${files.length}-${files[0]!.replaceAll("/", "_")}`,
      Object.fromEntries(files.map((file) => [file, file]))
    )
    const found = await Effect.runPromise(findDevContainer(directory))
    assert.deepStrictEqual(found, { project: directory, file: path.join(directory, files[at]!), text: files[at]! })
  })

  it("may begin with a byte order mark", async () => {
    const found = await Effect.runPromise(findDevContainer(project("marked", { ".devcontainer.json": "\uFEFF{}" })))
    assert.strictEqual(found.text, "{}")
  })

  it("is named if there are several", async () => {
    const directory = project("several", {
      ".devcontainer/a/devcontainer.json": "a",
      ".devcontainer/b/devcontainer.json": "b"
    })
    assert.match(
      await refusal(findDevContainer(directory)),
      /several: \.devcontainer\/a\/devcontainer\.json, \.devcontainer\/b/
    )
    for (const given of [".devcontainer/b/devcontainer.json", ".devcontainer/b"]) {
      const found = await Effect.runPromise(findDevContainer(path.join(directory, given)))
      assert.strictEqual(found.project, directory)
      assert.strictEqual(found.text, "b")
    }
  })

  it.each<[string, Readonly<Record<string, string | Uint8Array>>, RegExp]>([
    ["nothing", { file: "x" }, /has no \.devcontainer/],
    [
      "a link",
      { ".devcontainer/devcontainer.json": "->../../secret", "../secret": "key" },
      /\.devcontainer\/devcontainer\.json leads out of the project/
    ],
    [
      "a linked folder",
      { ".devcontainer": "->../secrets", "../secrets/devcontainer.json": "key" },
      /\.devcontainer\/devcontainer\.json leads out of the project/
    ],
    [
      "too much",
      { ".devcontainer.json": " ".repeat(300_000) },
      /\.devcontainer\.json is no file of at most 256 KiB that pyro can read/
    ],
    [
      "bytes that are no text",
      { ".devcontainer.json": Buffer.from("{ \"image\": \"caf\xe9\" }", "latin1") },
      /\.devcontainer\.json is not UTF-8/
    ],
    ["UTF-16", { ".devcontainer.json": Buffer.from("\uFEFF{}", "utf16le") }, /\.devcontainer\.json is not UTF-8/],
    ["a folder", { ".devcontainer.json/x": "" }, /\.devcontainer\.json is no file of at most 256 KiB/],
    [
      "too much of a name",
      { ".devcontainer/a/devcontainer.json": " ".repeat(300_000) },
      /a\/devcontainer\.json is no file of at most 256 KiB/
    ]
  ])("is refused with the reason: %s", async (name, files, said) => {
    assert.match(await refusal(findDevContainer(project(`none-${name.replaceAll(" ", "-")}`, files))), said)
  })
})

const plan = (base: BuildPlan["base"], features: ReadonlyArray<string> = []): BuildPlan => ({
  base,
  features: features.map((id) => ({ id, options: {} })),
  order: [],
  remoteUser: undefined,
  containerUser: undefined,
  links: []
})

const dockerfile = (file: string, context: string): BuildPlan["base"] => ({
  _tag: "dockerfile",
  file,
  context,
  target: undefined,
  arguments: {}
})

describe("what the build of a devcontainer.json reads", () => {
  const directory = project("built", {
    ".devcontainer/devcontainer.json": "{}",
    ".devcontainer/Dockerfile": "FROM a",
    ".devcontainer/feature/install.sh": "echo",
    "docker/dev.Dockerfile": "FROM b",
    "source/file": "x",
    "out": "->../outside",
    "../outside/Dockerfile": "FROM outside"
  })
  const found = { project: directory, file: path.join(directory, ".devcontainer/devcontainer.json"), text: "{}" }
  const image: BuildPlan["base"] = { _tag: "image", reference: "docker.io/library/a:1" }

  it.each([
    [plan(dockerfile("Dockerfile", ".")), ".devcontainer", "Dockerfile", ""],
    [plan(dockerfile("Dockerfile", "..")), ".", ".devcontainer/Dockerfile", ""],
    [plan(dockerfile("../docker/dev.Dockerfile", "../source")), ".", "docker/dev.Dockerfile", "source"]
  ])("is the smallest directory with all of it: %#", async (asked, seed, file, context) => {
    const inputs = await Effect.runPromise(readInputs(found, asked))
    assert.strictEqual(inputs.seed, path.join(directory, seed))
    assert.include(inputs.dockerfile, { file, context })
  })

  it("is a feature of the project, and nothing for those of registries", async () => {
    const inputs = await Effect.runPromise(readInputs(found, plan(image, ["./feature", "ghcr.io/a/b:1"])))
    assert.strictEqual(inputs.seed, path.join(directory, ".devcontainer/feature"))
    assert.deepStrictEqual(inputs.folders, [{ id: "./feature", folder: "", files: [undefined, "echo"] }])
    assert.isUndefined((await Effect.runPromise(readInputs(found, plan(image, ["ghcr.io/a/b:1"])))).seed)
  })

  it("is another text for other bytes, which need not be UTF-8", async () => {
    const textOf = async (name: string, comment: string) => {
      const content = Buffer.from(`FROM a\n# ${comment}`, "latin1")
      const at = project(`bytes-${name}`, {
        ".devcontainer/devcontainer.json": "{}",
        ".devcontainer/Dockerfile": content
      })
      const file = path.join(at, ".devcontainer/devcontainer.json")
      const inputs = await Effect.runPromise(
        readInputs({ project: at, file, text: "{}" }, plan(dockerfile("Dockerfile", ".")))
      )
      return inputs.dockerfile?.text
    }
    const texts = await Promise.all([textOf("one", "\xe9"), textOf("two", "\xea"), textOf("utf8", "\xc3\xa9")])
    assert.strictEqual(new Set(texts).size, 3)
    for (const text of texts) assert.match(text!, /^FROM a\n/)
    assert.strictEqual(texts[2], "FROM a\n# é")
  })

  it.each([
    [plan(dockerfile("Dockerfile", "../..")), /build\.context: "\.\.\/\.\." leads out of the project/],
    [plan(dockerfile("Dockerfile", "../out")), /build\.context: "\.\.\/out" leads out/],
    [plan(dockerfile("../out/Dockerfile", "..")), /build\.dockerfile: .* leads out/],
    [plan(dockerfile("/etc/passwd", ".")), /build\.dockerfile: .* leads out/],
    [plan(dockerfile("none", ".")), /build\.dockerfile: "none" is not there/],
    [plan(dockerfile("..", "..")), /is no file of at most/],
    [plan(image, ["../out"]), /features: "\.\.\/out" leads out/]
  ])("is refused outside of the project: %#", async (asked, said) => {
    assert.match(await refusal(readInputs(found, asked)), said)
  })
})
