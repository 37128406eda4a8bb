import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { basesOf } from "../../../../src/lib/recipe/dockerfile.ts"

type Options = Parameters<typeof basesOf>[1]

/** Names of the images, and the texts that stay unknown. */
const read = (text: string, options?: Options) =>
  Effect.map(basesOf(text, options), ({ images, unknown }) => [
    ...images.map(({ reference }) => reference.name),
    ...unknown.map(({ written }) => `? ${written}`)
  ])

const cases = (all: ReadonlyArray<readonly [text: string, names: ReadonlyArray<string>, options?: Options]>) => {
  for (const [text, names, options] of all) {
    it.effect(
      JSON.stringify(text) + (options === undefined ? "" : ` with ${JSON.stringify(options)}`),
      () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* read(text, options), names)
        })
    )
  }
}

const HUB = "docker.io/library"

describe("pyro finds the images of a Dockerfile", () => {
  cases([
    ["FROM python:3.12", [`${HUB}/python:3.12`]],
    ["from --platform=$BUILDPLATFORM \\\n # why\n\n ghcr.io/a/b:1 as build\n", ["ghcr.io/a/b:1"]],
    ["FROM scratch\nCOPY a /", []],
    ["FROM a AS one\nFROM b\nCOPY --from=one /x /x", [`${HUB}/a:latest`, `${HUB}/b:latest`]],
    ["FROM a AS one\nFROM registry.example/b\nCOPY x y", ["registry.example/b:latest"]],
    ["FROM a\nCOPY --from=registry.example/uv:0.9 /uv /", [`${HUB}/a:latest`, "registry.example/uv:0.9"]],
    ["FROM a\nRUN --mount=type=bind,from=registry.example/x,\\\n  target=/x --network=none ls", [
      `${HUB}/a:latest`,
      "registry.example/x:latest"
    ]],
    ["FROM a\nONBUILD COPY --from=registry.example/x /x /", [`${HUB}/a:latest`]],
    ["\ufeffFROM a\r\nRUN x \\\r\n  y\r\n", [`${HUB}/a:latest`]],
    ["# syntax=registry.example/frontend:1\n# check=skip=all;error=true\nFROM a", [`${HUB}/a:latest`]]
  ])
})

describe("pyro builds the stages that the target needs", () => {
  const text = "FROM a AS one\nFROM b AS two\nFROM one AS three\nCOPY --from=1 x y\nFROM c AS four"
  cases([
    [text, [`${HUB}/c:latest`]],
    [text, [`${HUB}/a:latest`, `${HUB}/b:latest`], { target: "Three" }],
    [text, [`${HUB}/a:latest`], { target: "0" }],
    [text, [], { target: "none" }]
  ])
})

describe("a stage hides an image of its name, but only after the stage", () => {
  cases([
    ["FROM a AS registry.example/x\nFROM registry.example/x", [`${HUB}/a:latest`]],
    ["FROM a AS Build\nFROM build", [`${HUB}/a:latest`]],
    ["FROM registry.example/x AS registry.example/x", ["registry.example/x:latest"]],
    ["FROM later\nCOPY --from=later x y\nFROM a AS later\nFROM 0", [`${HUB}/later:latest`, `${HUB}/later:latest`]]
  ])
})

describe("variables of a Dockerfile have the values of the builder", () => {
  cases([
    ["ARG V=12\nFROM registry.example/x:${V}", ["registry.example/x:12"]],
    ["ARG V=12\nFROM registry.example/x:${V}", ["registry.example/x:13"], { arguments: { V: "13" } }],
    ["FROM registry.example/x:$V", ["? registry.example/x:$V"], { arguments: { V: "13" } }],
    ["ARG V\nFROM x:${V:-3}-${V:+no}slim", [`${HUB}/x:3-slim`]],
    ["ARG A=1 B=\"$A\"2\nARG C='$A'\nFROM \"x:$B\"", [`${HUB}/x:12`]],
    ["ARG S\nFROM registry.example/x$S", ["registry.example/x:latest"]],
    ["ARG BASE\nFROM $BASE", ["? $BASE"]],
    ["ARG BASE\nFROM ${BASE:-${OTHER:-a}}", [`${HUB}/a:latest`]],
    ["ARG V=v1\nFROM x:${V#v}", ["? x:${V#v}"]],
    ["FROM a\nARG UV=1\nCOPY --from=registry.example/uv:$UV x y", [`${HUB}/a:latest`, "registry.example/uv:1"]],
    ["ARG UV=2\nFROM a\nARG UV\nCOPY --from=uv:$UV x y", [`${HUB}/a:latest`, `${HUB}/uv:2`]],
    ["FROM a\nENV R=registry.example\nARG I=$R/x\nCOPY --from=$I x y", [`${HUB}/a:latest`, "? $I"]],
    ["FROM x-$TARGETARCH", [`${HUB}/x-amd64:latest`]],
    ["FROM docker://registry.example/x", ["? docker://registry.example/x"]]
  ])
})

describe("text that is no FROM names no image", () => {
  const hidden = "FROM localhost:22/x"
  cases([
    [`FROM a\nRUN true \\\n${hidden}`, [`${HUB}/a:latest`]],
    [`FROM a\nRUN true \\\n  # a comment\n\n  ${hidden}`, [`${HUB}/a:latest`]],
    [`FROM a\nENV X=\\\n${hidden}`, [`${HUB}/a:latest`]],
    [`# ${hidden}\nFROM a`, [`${HUB}/a:latest`]],
    [`FROM a\nRUN <<EOF\n${hidden}\nEOF`, [`${HUB}/a:latest`]],
    [`FROM a\nRUN <<-"E" cat <<F\n${hidden}\n\tE\n${hidden}\nF\n`, [`${HUB}/a:latest`]],
    [`FROM a\nCOPY <<EOF /x\n${hidden}\nEOF`, [`${HUB}/a:latest`]],
    [`# escape=\`\nFROM a\nRUN true \`\n${hidden}`, [`${HUB}/a:latest`]],
    ["FROM\nFROM  \n", ["? "]]
  ])
})

it.live("a hostile Dockerfile of 256 KiB is read within seconds", () =>
  Effect.forEach([
    "FROM ",
    "FROM a\n",
    "RUN <<A\n",
    "RUN \\\n",
    "FROM ${a:-",
    "COPY --from=a b c\n",
    "--mount=from=a ",
    "ARG a=$a$a\n"
  ], (part) =>
    Effect.gen(function*() {
      const text = `ARG a=b\nFROM a\nRUN ${part.repeat(Math.floor(262_000 / part.length))}`
      const begun = process.cpuUsage()
      yield* basesOf(text)
      yield* basesOf(text.replace("RUN ", "\n"))
      const { user } = process.cpuUsage(begun)
      assert.isBelow(user / 1e6, 10, part)
    })))

describe("pyro knows what the target begins with", () => {
  const root = (text: string, options?: Options) => Effect.map(basesOf(text, options), (bases) => bases.root)
  for (
    const [text, image, options] of [
      ["FROM a:1", "a:1"],
      ["ARG V=2\nFROM a:${V} AS one\nFROM b\nFROM one AS two\nFROM two", "a:2"],
      ["FROM a AS one\nFROM b AS two", "a", { target: "ONE" }],
      ["FROM a AS one\nFROM scratch\nCOPY --from=one / /", undefined],
      ["FROM ${V#x}", undefined],
      ["FROM a AS a\nFROM a", "a"],
      ["", undefined],
      ["FROM a", undefined, { target: "none" }]
    ] as ReadonlyArray<readonly [string, string | undefined, Options?]>
  ) {
    it.effect(`${JSON.stringify(text)}${options === undefined ? "" : ` to ${options.target}`}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* root(text, options), image)
      }))
  }

  it.effect("localhost/NAME is an environment of this host, and localhost:PORT a registry", () =>
    Effect.gen(function*() {
      const text =
        "FROM localhost/app:2 AS x\nFROM localhost:5000/app\nCOPY --from=localhost/tools / /\nCOPY --from=x / /"
      const { environments, images, unknown } = yield* basesOf(text)
      assert.deepStrictEqual(environments, [
        { environment: "app:2", image: "localhost/app:2", line: 1 },
        { environment: "tools", image: "localhost/tools", line: 3 }
      ])
      assert.deepStrictEqual(images.map(({ reference }) => reference.name), ["localhost:5000/app:latest"])
      assert.deepStrictEqual(unknown, [])
    }))
})
