import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeEach, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-pulls-test-")
afterAll(remove)

const work = path.join(folder, "work")
const written = path.join(folder, "written")

const MIRROR = { name: "mirror.test", registry: "registry.test", location: "mirror.test", plainHttp: false }

/** Runs a build whose buildah is a shell script, with a limit of a second for silence. `$build` counts the builds from 0. */
const build = (script: string, mirrors: ReadonlyArray<object> = []) => {
  fs.writeFileSync(
    path.join(folder, "buildah"),
    `#!/bin/sh
case " $* " in *" push "*) exit 0 ;; esac
build=$(cat ${folder}/count 2>/dev/null || echo 0)
echo $((build + 1)) > ${folder}/count
write() { echo more >> ${written}; }
${script}
`,
    { mode: 0o755 }
  )
  const last = execFileSync("python3", [
    "-c",
    `${imageModules}
from pyro_image import dockerfile
from pyro_image.pulls import Pulls
from pyro_image.skopeo import Skopeo
places.WORK = ${JSON.stringify(work)}
dockerfile.registries = lambda ports, mirrors: None
Skopeo.stall_seconds = 1
# The disk of this host is never at rest.
Pulls.arrived = lambda self: (self.lines, os.stat(${JSON.stringify(written)}).st_size)
try:
    dockerfile.build_file(json.loads(sys.argv[1]), {})
    say(kind="built")
except Refused as refused:
    say(kind=refused.kind, detail=str(refused), image=refused.image)`,
    JSON.stringify({ file: "Dockerfile", arguments: {}, loopbackPorts: [], mirrors })
  ], { encoding: "utf8", env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` } }).trimEnd().split("\n")
  return last.map((line): Record<string, unknown> => JSON.parse(line))
}
const ended = (script: string) => build(script).at(-1)

beforeEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(work, { recursive: true })
  fs.writeFileSync(written, "")
})

const begin = "echo 'STEP 1/2: FROM registry.test/base:1'; echo 'Trying to pull registry.test/base:1...'"
const silent = { kind: "stalled", detail: "no byte came for 1 s", image: "registry.test/base:1" }
/** Longer than a silence may be. */
const twoSeconds = "for n in 1 2 3 4 5 6 7; do sleep 0.3; write; done"

describe("a pull in the build of a Dockerfile", () => {
  it("a registry that sends nothing ends the build, with all programs of the build", () => {
    assert.deepStrictEqual(ended(`${begin}; sleep 1000`), silent)
  })

  it("a registry that falls silent in the middle of a layer ends the build", () => {
    assert.deepStrictEqual(ended(`${begin}; echo 'Copying blob abc'; write; sleep 1000`), silent)
  })

  it("the image of a COPY --from is waited for no longer", () => {
    const other =
      "echo 'STEP 2/3: COPY --from=registry.test/other:1 /a /b'; echo 'Trying to pull registry.test/other:1...'"
    assert.deepStrictEqual(ended(`echo 'STEP 1/3: FROM scratch'; ${other}; sleep 1000`), {
      ...silent,
      image: "registry.test/other:1"
    })
  })

  it("a slow registry that goes on sending does not end the build", () => {
    assert.deepStrictEqual(ended(`${begin}; ${twoSeconds}; echo 'STEP 2/2: RUN b'`), { kind: "built" })
  })

  it("a step may be silent, whatever its program prints", () => {
    const pulled = `${begin}; echo 'Writing manifest to image destination'`
    const step = "echo 'STEP 2/2: RUN b'; echo 'Trying to pull registry.test/base:1...'; sleep 2"
    assert.deepStrictEqual(ended(`${pulled}; sleep 2; ${step}`), { kind: "built" })
  })

  it("a mirror that falls silent is left out, and the build begins again", () => {
    const asks = "echo 'time=\"2026-11-28T20:02:14Z\" level=debug msg=\"Trying to access \\\"mirror.test/base:1\\\"\"'"
    const lines = build(`${begin}; if [ $build = 0 ]; then ${asks}; sleep 1000; fi; echo 'STEP 2/2: RUN b'`, [MIRROR])
    assert.deepStrictEqual(lines.at(-1), { kind: "built" })
    assert.include(lines.map(({ step }) => step), "the mirror mirror.test failed: stalled")
  })
})
