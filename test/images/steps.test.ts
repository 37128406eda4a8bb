import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { referenceFile } from "../../src/lib/recipe/image-source.ts"
import { installation } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { probeIn, programIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { sharedCache } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"

// The cache is shared: an earlier run's steps must not be found.
const NAMES = { stepped: `stepped${process.pid}`, other: `other${process.pid}`, secretive: `secretive${process.pid}` }

const { folder, remove } = temporaryFolder("pyro-steps-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  const image = imageOf([[probeIn(folder), programIn(folder, "do")]], { Cmd: ["/probe"] })
  registry = await startRegistry({ "plain:1": image })
  pyro = installation("pyro-steps-")
})

afterAll(async () => {
  await pyro.call(["env", "rm", NAMES.other])
  await pyro.close()
  await registry.close()
  remove()
})

/** A context whose Dockerfile has these steps. */
const context = (...steps: ReadonlyArray<string>) => {
  const directory = path.join(folder, "context")
  fs.mkdirSync(directory, { recursive: true })
  fs.writeFileSync(path.join(directory, "file"), "text")
  fs.writeFileSync(
    path.join(directory, "Dockerfile"),
    [`FROM ${registry.host}/plain:1`, ...steps, "CMD [\"/probe\", \"/one\", \"/two\", \"/file\"]"].join("\n")
  )
  return directory
}

const build = (name: string, directory: string, ...options: ReadonlyArray<string>) =>
  pyro.call(["env", "build", name, "--dockerfile", directory, "--replace", "--allow-host", registry.host, ...options])

const valuesOf = async (name: string) => {
  const ran = await pyro.call(["run", name, "--mem-mib", "256", "--", "/probe", "/one", "/two", "/file"])
  const [, one, two, file] = / \/one=(\S+) \/two=(\S+) \/file=(\S+)\n/.exec(ran.stdout.toString()) ?? []
  assert.isDefined(file, ran.stderr)
  return { one, two, file }
}

/** The file of an environment's steps, and whether it is there. */
const stepsOf = (name: string) => path.join(sharedCache, "steps", `${referenceFile(name)}.steps`)
const hasSteps = (name: string) => fs.existsSync(stepsOf(name))

const ONE = "RUN [\"/do\", \"stamp\", \"/one\"]"
const TWO = "RUN [\"/do\", \"stamp\", \"/two\"]"

describe("the steps of a Dockerfile", { concurrent: false }, () => {
  let made: Awaited<ReturnType<typeof valuesOf>>

  it("a build leaves its steps", async () => {
    const first = await build(NAMES.stepped, context(ONE, "COPY file /file", TWO))
    assert.strictEqual(first.code, 0, first.stderr)
    made = await valuesOf(NAMES.stepped)
    assert.isTrue(hasSteps(NAMES.stepped))
  })

  it("a later build of the name takes unchanged steps, and makes no template twice", async () => {
    const second = await build(NAMES.stepped, context(ONE, "COPY file /file", "ENV CHANGED=1", TWO))
    assert.strictEqual(second.code, 0, second.stderr)
    // Nor is the template of its builder made again.
    assert.notMatch(second.stderr, /preparing a template/)
    const again = await valuesOf(NAMES.stepped)
    assert.deepStrictEqual([again.one, again.file], [made.one, "text"])
    assert.notStrictEqual(again.two, made.two)
    assert.deepStrictEqual((await pyro.json<{ readonly saved: ReadonlyArray<unknown> }>(["saved", "list"])).saved, [])
  })

  it("another name takes no step, and --no-cache leaves none", async () => {
    const other = await build(NAMES.other, context(ONE, "COPY file /file", TWO), "--no-cache")
    assert.strictEqual(other.code, 0, other.stderr)
    assert.notStrictEqual((await valuesOf(NAMES.other)).one, made.one)
    assert.isFalse(hasSteps(NAMES.other))
  })

  it("a build that fails leaves the steps before the one that failed", async () => {
    const failed = await build(NAMES.other, context(ONE, "RUN [\"/do\", \"show\", \"/one\"]"))
    assert.notStrictEqual(failed.code, 0)
    const [, shown] = /\n\s*(\d+\.\d{9})/.exec(failed.stderr) ?? []
    assert.isDefined(shown, failed.stderr)
    const mended = await build(NAMES.other, context(ONE, "COPY file /file", TWO))
    assert.strictEqual(mended.code, 0, mended.stderr)
    assert.strictEqual((await valuesOf(NAMES.other)).one, shown)
  })

  it("a damaged file of steps is no reason to fail, and env rm removes the file", async () => {
    const file = stepsOf(NAMES.stepped)
    fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2))
    const built = await build(NAMES.stepped, context(ONE, "COPY file /file", TWO))
    assert.strictEqual(built.code, 0, built.stderr)
    assert.strictEqual((await pyro.call(["env", "rm", NAMES.stepped])).code, 0)
    assert.isFalse(hasSteps(NAMES.stepped))
  })
})

const MOST_BYTES = 256 * 1024 * 1024
const SECRET = "correct-horse-battery"

/** Whether a file beneath a folder has the value. A larger one is a disk that is being deleted, and no record. */
const hasSecret = (directory: string): boolean =>
  fs.readdirSync(directory, { withFileTypes: true }).some((entry) => {
    const file = path.join(directory, entry.name)
    return entry.isDirectory()
      ? hasSecret(file)
      : entry.isFile() && fs.statSync(file).size < MOST_BYTES && fs.readFileSync(file).includes(SECRET)
  })

describe("the secrets of a Dockerfile", { concurrent: false }, () => {
  const secretFile = () => {
    const file = path.join(folder, "token")
    fs.writeFileSync(file, SECRET)
    return file
  }
  const mounted = (...words: ReadonlyArray<string>) =>
    `RUN --mount=type=secret,id=my-token ${JSON.stringify(["/do", ...words])}`

  it("a step reads the secret, and neither the image nor the steps nor pyro's files have it", async () => {
    const directory = context(mounted("size", "/run/secrets/my-token", "/one"), TWO, "COPY file /file")
    const built = await build(NAMES.secretive, directory, "--secret", `id=my-token,src=${secretFile()}`)
    assert.strictEqual(built.code, 0, built.stderr)
    assert.strictEqual((await valuesOf(NAMES.secretive)).one, String(SECRET.length))
    assert.isFalse(hasSteps(NAMES.secretive))
    await settlesAs(() => pyro.workspaceIds().length, 0)
    assert.isFalse(hasSecret(pyro.state))
    const { image_path: image } = await pyro.json<{ readonly image_path: string }>(["env", "inspect", NAMES.secretive])
    assert.isFalse(fs.readFileSync(image).includes(SECRET))
    await pyro.call(["env", "rm", NAMES.secretive])
  })

  it("an image that has the secret is refused", async () => {
    const directory = context(mounted("copy", "/run/secrets/my-token", "/one"))
    const secret = ["--secret", `id=my-token,src=${secretFile()}`]
    const failure = await pyro.failure(
      ["env", "build", "leaky", "--dockerfile", directory, "--allow-host", registry.host, ...secret]
    )
    assert.strictEqual(failure.code, "environment_build_failed")
    assert.match(failure.message, /the image has the value of a secret/)
  })

  it("a step that prints the secret shows no value", async () => {
    const directory = context(mounted("show", "/run/secrets/my-token"))
    const failed = await build("shown", directory, "--secret", `id=my-token,src=${secretFile()}`)
    assert.notStrictEqual(failed.code, 0)
    assert.match(failed.stderr, /STEP 2\/3/)
    assert.notInclude(failed.stdout.toString() + failed.stderr, SECRET)
    await settlesAs(() => pyro.workspaceIds().length, 0)
    assert.isFalse(hasSecret(pyro.state))
  })

  it.each([
    [["--secret", "my-token"], /id=ID,src=FILE/],
    [["--secret", "id=x,env=PYRO_ABSENT_VARIABLE"], /PYRO_ABSENT_VARIABLE is not set/],
    [["--platform", "linux/arm64"], /linux\/amd64 alone/]
  ])("%j is refused", async (words, said) => {
    const refused = await build("none", context(ONE), ...words)
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.stderr, said)
  })

  it("a step that fails is named with its last lines, and leaves nothing", async () => {
    const directory = context("RUN [\"/probe\", \"/etc/none\"]", "RUN [\"/absent\"]")
    const failed = await pyro.failure(["env", "build", "bad", "--dockerfile", directory, "--allow-host", registry.host])
    assert.strictEqual(failed.code, "environment_build_failed")
    assert.match(failed.message, /STEP 3\/4: RUN \["\/absent"\]/)
    const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<{ readonly name: string }> }>(
      ["env", "list"]
    )
    assert.notInclude(environments.map(({ name }) => name), "bad")
    assert.deepStrictEqual(pyro.workspaceIds(), [])
  })
})
