import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeEach, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-bases-test-")
afterAll(remove)

const work = path.join(folder, "work")

/** A stand-in for buildah: each build prints the next file, and fails unless the file ends with a step. */
const buildah = (builds: ReadonlyArray<string>) => {
  builds.forEach((text, at) => fs.writeFileSync(path.join(folder, `build-${at}`), text))
  fs.writeFileSync(
    path.join(folder, "buildah"),
    `#!/bin/sh
case " $* " in *" push "*) exit 0 ;; esac
echo "$*" >> ${folder}/arguments
at=$(cat ${folder}/count 2>/dev/null || echo 0)
echo $((at + 1)) > ${folder}/count
cat ${folder}/build-$at
tail -n 1 ${folder}/build-$at | grep -q ^STEP
`,
    { mode: 0o755 }
  )
}

const MIRRORS = [
  { name: "localhost:5000/hub", registry: "docker.io", location: "host.pyro.internal:5000/hub", plainHttp: true },
  { name: "mirror.example.com", registry: "docker.io", location: "mirror.example.com", plainHttp: false }
]

/** Builds with some mirrors: what was said, and either the mirrors that gave bases, or the failure. */
const build = (builds: ReadonlyArray<string>, mirrors: ReadonlyArray<object> = MIRRORS) => {
  buildah(builds)
  const recipe = { file: "Dockerfile", arguments: {}, loopbackPorts: [], mirrors }
  return execFileSync("python3", [
    "-c",
    `${imageModules}
from pyro_image import dockerfile
places.WORK = ${JSON.stringify(work)}
dockerfile.registries = lambda ports, mirrors: say(places=[mirror["name"] for mirror in mirrors])
try:
    say(gave=dockerfile.build_file(json.loads(sys.argv[1]), {})[0])
except Refused as refused:
    say(failed=str(refused))`,
    JSON.stringify(recipe)
  ], { encoding: "utf8", env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` } })
    .trimEnd().split("\n").map((line): Record<string, unknown> => JSON.parse(line))
}

const log = (text: string) => `time="2026-11-28T20:02:14Z" level=debug msg="${text.replaceAll("\"", "\\\"")}"\n`
const asks = (place: string) => log(`Trying to access "${place}"`)
const lacks = (place: string) => asks(place) + log(`Accessing "${place}" failed: manifest unknown`)

const said = (lines: ReadonlyArray<Record<string, unknown>>) =>
  lines.flatMap(({ step }) => typeof step === "string" && step.startsWith("the mirror") ? [step] : [])

beforeEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(work, { recursive: true })
  fs.writeFileSync(path.join(work, "Dockerfile"), "FROM a\nRUN b\n")
})

describe("the mirrors of a Dockerfile's bases", () => {
  it("the one that gave a base is known, and buildah's log is no output of a step", () => {
    const lines = build([
      `STEP 1/2: FROM a\n${lacks("host.pyro.internal:5000/hub/library/a:1")}${
        asks("mirror.example.com/library/a:1")
      }STEP 2/2: RUN b\n`
    ])
    assert.deepStrictEqual(lines.at(-1), { gave: [1] })
    assert.deepStrictEqual(said(lines), [])
  })

  it("a mirror that breaks a base after its manifest is left out, and the build begins again", () => {
    const begins = "STEP 1/2: FROM a\n"
    const lines = build([
      `${begins}${asks("host.pyro.internal:5000/hub/library/a:1")}Error: reading blob: Digest did not match\n`,
      `${begins}${asks("mirror.example.com/library/a:1")}Error: unexpected EOF\n`,
      `${begins}${asks("docker.io/library/a:1")}STEP 2/2: RUN b\n`
    ])
    assert.deepStrictEqual(lines.flatMap(({ places }) => places === undefined ? [] : [places]), [
      MIRRORS.map(({ name }) => name),
      ["mirror.example.com"],
      []
    ])
    assert.deepStrictEqual(said(lines), [
      "the mirror localhost:5000/hub failed: digest",
      "the mirror mirror.example.com failed: unreachable"
    ])
    assert.deepStrictEqual(lines.at(-1), { gave: [] })
  })

  it("a step that fails is no fault of the mirror that gave its base", () => {
    const lines = build([
      `STEP 1/2: FROM a\n${asks("mirror.example.com/library/a:1")}STEP 2/2: RUN b\n${log("Running b")}the reason\n`
    ])
    assert.deepStrictEqual(said(lines), [])
    assert.deepStrictEqual(lines.at(-1), { failed: "the build failed:\nSTEP 2/2: RUN b\nthe reason" })
  })

  it("without mirrors there is no log, and a failure is final", () => {
    const lines = build([`STEP 1/2: FROM a\n${asks("docker.io/library/a:1")}Error: gone\n`], [])
    assert.notInclude(fs.readFileSync(path.join(folder, "arguments"), "utf8"), "debug")
    assert.match(String(lines.at(-1)?.["failed"]), /STEP 1\/2: FROM a\nError: gone$/)
  })
})
