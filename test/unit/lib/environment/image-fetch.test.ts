import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-fetch-test-")
afterAll(remove)

interface Told {
  readonly refused?: readonly [kind: string, detail: string]
  readonly runs: number
  readonly left: ReadonlyArray<number>
}

const SOURCE = "docker://registry.test/app:1"
let made = 0

/** Fetches with a stand-in for skopeo: each run takes the next script. The target directory is $TARGET. Gives the lines of the builder. */
const linesOf = (scripts: ReadonlyArray<string>, stallSeconds: number): ReadonlyArray<string> => {
  const place = path.join(folder, `${made++}`)
  fs.mkdirSync(path.join(place, "image"), { recursive: true })
  scripts.forEach((script, at) => fs.writeFileSync(path.join(place, `run-${at + 1}`), script))
  const standIn = `#!/bin/sh
echo $$ >>${place}/runs
for last; do TARGET=\${last#dir:}; done
. ${place}/run-$(wc -l <${place}/runs)
`
  fs.writeFileSync(path.join(place, "skopeo"), standIn, { mode: 0o755 })
  const answer = execFileSync("python3", ["-"], {
    input: `${imageModules}
from pyro_image import fetch
from pyro_image.skopeo import Skopeo
places.WORK = ${JSON.stringify(place)}
fetch.PAUSES = (0, 0, 0)
Skopeo.stall_seconds = ${stallSeconds}
told = {}
try:
    fetch.fetch(${JSON.stringify(SOURCE)}, {"architecture": "amd64"})
except Refused as refused:
    told["refused"] = [refused.kind, str(refused)]
runs = [int(line) for line in open(f"{places.WORK}/runs")]
told["runs"] = len(runs)
told["left"] = [pid for pid in runs if os.path.exists(f"/proc/{pid}")]
print(json.dumps(told))
`,
    env: { ...process.env, PATH: `${place}:${process.env["PATH"]}` },
    encoding: "utf8"
  })
  return answer.trim().split("\n")
}

const fetched = (scripts: ReadonlyArray<string>, stallSeconds = 30) =>
  JSON.parse(linesOf(scripts, stallSeconds).at(-1)!) as Told

const fatal = (text: string) => `echo 'time="now" level=fatal msg="${text}"' >&2; exit 1`
const reached = "echo Getting image source signatures"
const halfLayer = `${reached}; echo Copying blob sha256:1; head -c 1000 /dev/zero >$TARGET/part`
const ended = `${halfLayer}; ${fatal("writing blob: storing blob to file: happened during read: unexpected EOF")}`
const whole = `${halfLayer}; exit 0`

const debug = (text: string) => `cat >&2 <<'END'\ntime="now" level=debug msg="${text}"\nEND\n`
const tooMany = (after: string, seconds: string) =>
  [
    debug(`Detected 'Retry-After' header \\"${after}\\"`),
    debug(`Too many requests to https://registry.test/v2/: sleeping for ${seconds} seconds before next attempt`)
  ].join("")

describe("fetching an image in the builder", () => {
  it("goes on after failures of a registry that was there", () => {
    const refused = `${fatal("pinging container registry registry.test: connection refused")}`
    assert.deepStrictEqual(fetched([ended, refused, ended, whole]), { runs: 4, left: [] })
  })

  it("ends after four attempts", () => {
    const { refused, runs } = fetched([ended, ended, ended, ended, whole])
    assert.deepStrictEqual([refused?.[0], runs], ["unreachable", 4])
  })

  it.each([
    ["a refused connection", "pinging container registry registry.test: connection refused", "unreachable"],
    [
      "a private image",
      "reading manifest 1 in registry.test/app: unauthorized: authentication required",
      "unauthorized"
    ],
    ["a refused layer", "reading blob sha256:0: fetching blob: denied", "unauthorized"],
    ["a busy registry", "reading manifest 1 in registry.test/app: toomanyrequests: slow down", "rate_limit"],
    ["an absent image", "reading manifest 1 in registry.test/app: manifest unknown", "not_found"],
    ["a wrong digest", "Digest did not match, expected sha256:0, got sha256:1", "digest"]
  ])("does not repeat %s", (_, text, kind) => {
    const { refused, runs } = fetched([fatal(text), whole])
    assert.deepStrictEqual([refused?.[0], runs], [kind, 1])
  })

  it("repeats no request to another host that the registry named", () => {
    const text = `parsing blob: Get \\\\"http://169.254.169.254/x\\\\": dial tcp 169.254.169.254:80: connection refused`
    assert.strictEqual(fetched([`${reached}; ${fatal(text)}`, whole]).runs, 1)
  })

  it.each([["before its manifest", "sleep 600"], ["in the middle of a layer", `${halfLayer}; sleep 600`]])(
    "ends a registry that is silent %s",
    (_, script) => {
      assert.deepStrictEqual(fetched([script, whole], 2), {
        refused: ["stalled", "no byte came for 2 s"],
        runs: 1,
        left: []
      })
    }
  )

  it("tells how much of the layers came", () => {
    const layer =
      `mkdir -p $TARGET; ${reached}; echo Copying blob sha256:1; head -c 3145728 /dev/zero >$TARGET/part; sleep 2; exit 0`
    const steps = linesOf([layer], 30).map((line) => (JSON.parse(line) as { readonly step?: string }).step)
    assert.include(steps, "fetching layer 1: 3 MiB came")
  })

  it("lets a slow registry send", () => {
    const slow = `${reached}; for at in 1 2 3 4 5 6 7 8; do sleep 0.5; echo $at >>$TARGET/part; done; exit 0`
    assert.deepStrictEqual(fetched([slow], 2), { runs: 1, left: [] })
  })

  it("waits as long as a busy registry wants, if that is short", () => {
    const waits = `${tooMany("1", "3.000000")}sleep 3; ${whole}`
    assert.deepStrictEqual(fetched([waits], 2), { runs: 1, left: [] })
  })

  it("waits for no year", () => {
    assert.deepStrictEqual(fetched([`${tooMany("31536000", "60.000000")}sleep 600`, whole]), {
      refused: ["rate_limit", "too many requests, and the next one may come after 31536000 s"],
      runs: 1,
      left: []
    })
  })

  it("reads lines and names of any length", () => {
    const long = `head -c 10000000 /dev/zero | tr '\\0' x >&2; echo >&2; ${
      tooMany("y".repeat(5000), "60.000000")
    }sleep 600`
    const { refused } = fetched([long])
    assert.strictEqual(refused?.[0], "rate_limit")
    assert.isBelow(refused![1].length, 200)
  })
})
