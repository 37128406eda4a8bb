import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-bud-test-")
afterAll(remove)

/** Runs lines of Python after the builder's programs. */
const python = (lines: string) =>
  execFileSync("python3", [
    "-c",
    `${imageModules}
from pyro_image import trust
from pyro_image.dockerfile import bud
from pyro_image.trust import STEP_BUNDLE, without_trust
${lines}`
  ], { encoding: "utf8" }).trimEnd().split("\n")

/** A stand-in for buildah: it writes its arguments to a file, prints the output, and fails. */
const buildah = (output: string) => {
  const program = path.join(folder, "buildah")
  fs.writeFileSync(path.join(folder, "output"), output)
  fs.writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/arguments\ncat ${folder}/output\nexit 1\n`)
  fs.chmodSync(program, 0o755)
  return JSON.stringify(program)
}

const failureOf = (output: string, before = "") => {
  const said = python(`${before}
try:
    bud([${buildah(output)}], "/context")
except Refused as refused:
    say(kind=refused.kind, detail=str(refused))`)
  const messages = said.slice(0, -1).map((line) =>
    JSON.parse(line) as { readonly step?: string; readonly fraction?: number; readonly line?: string }
  )
  return {
    progress: messages.flatMap(({ step }) => step ?? []),
    fractions: messages.flatMap(({ fraction }) => fraction ?? []),
    output: messages.flatMap(({ line }) => line ?? []),
    failure: JSON.parse(said.at(-1) ?? "") as { readonly kind: string; readonly detail: string }
  }
}

describe("the build of a Dockerfile in a builder", () => {
  it("a failure has the step that failed and the end of its output, however long that is", () => {
    const noise = Array.from({ length: 40 }, (_, at) => `warning ${at} ${"x".repeat(600)}`).join("\n")
    const { failure, progress } = failureOf(
      `STEP 1/2: FROM a\nCopying blob\nSTEP 2/2: RUN pip install flask\n${noise}\nERROR: the reason\n`
    )
    assert.deepStrictEqual(progress, ["step 1 of 2: FROM a", "step 2 of 2: RUN pip install flask"])
    assert.strictEqual(failure.kind, "dockerfile")
    assert.match(failure.detail, /^the build failed:\nSTEP 2\/2: RUN pip install flask\n/)
    assert.match(failure.detail, /\nERROR: the reason$/)
    assert.notInclude(failure.detail, "Copying")
    // What image.py passes on.
    assert.isAtMost(failure.detail.length, 2000)
  })

  it("tells the lines of a step as they come, each with its beginning", () => {
    const long = "y".repeat(2000)
    const { output } = failureOf(`STEP 1/2: FROM a\nSTEP 2/2: RUN make\ncc a.c\n\n  ${long}\nSTEP 3/3: RUN b\nlast\n`)
    assert.deepStrictEqual(output, ["cc a.c", `  ${long.slice(0, 498)}`, "last"])
  })

  it("has one position over all stages", () => {
    const { fractions, progress } = failureOf(
      "[1/2] STEP 1/2: FROM a AS one\n[1/2] STEP 2/2: RUN b\n[2/2] STEP 1/2: FROM c\n[2/2] STEP 2/2: COPY --from=one /b /b\n"
    )
    assert.deepStrictEqual(progress, [
      "stage 1 of 2, step 1 of 2: FROM a AS one",
      "stage 1 of 2, step 2 of 2: RUN b",
      "stage 2 of 2, step 1 of 2: FROM c",
      "stage 2 of 2, step 2 of 2: COPY --from=one /b /b"
    ])
    assert.deepStrictEqual(fractions, [...fractions].sort((one, other) => one - other))
    assert.strictEqual(new Set(fractions).size, 4)
  })

  it("steps trust what the builder trusts, if that is more than the public authorities", () => {
    failureOf("")
    const read = () => fs.readFileSync(path.join(folder, "arguments"), "utf8").split("\n")
    assert.notInclude(read(), "--volume")
    python(`
trust.HOST_AUTHORITIES = ${JSON.stringify(folder)}
try:
    bud([${buildah("")}], "/context")
except Refused:
    pass`)
    const given = read()
    assert.include(given, "/etc/ssl/certs/ca-certificates.crt:/run/pyro-certificates.pem:ro")
    assert.include(given, "--env=PIP_CERT=/run/pyro-certificates.pem")
  })

  it("the image has none of the variables of that trust, and the step that sets them is no progress", () => {
    const [kept] = python(
      `print(json.dumps(without_trust(["A=1", "PIP_CERT=/mine", *(one[6:] for one in ["--env=SSL_CERT_FILE=" + STEP_BUNDLE])])))`
    )
    assert.deepStrictEqual(JSON.parse(kept ?? ""), ["A=1", "PIP_CERT=/mine"])
    const { failure, progress } = failureOf(
      `STEP 1/3: FROM a\nSTEP 2/3: ENV "NODE_EXTRA_CA_CERTS"="/run/pyro-certificates.pem"\nSTEP 3/3: RUN b\n`,
      `trust.HOST_AUTHORITIES = ${JSON.stringify(folder)}`
    )
    assert.deepStrictEqual(progress, ["step 1 of 2: FROM a", "step 2 of 2: RUN b"])
    assert.include(failure.detail, "STEP 2/2: RUN b")
  })
})
