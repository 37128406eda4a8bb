import { assert } from "vitest"
import type { Installation } from "../installation.ts"
import { imageOf, type TestImage } from "./image.ts"
import type { pullsOf } from "./pulls.ts"
import type { TarEntry } from "./tar.ts"

const LONG = `deep/${"d".repeat(120)}/${"e".repeat(150)}/end`

const config = {
  Env: ["GREETING=hi=there", "=nameless", "__proto__=x"],
  User: "app:staff",
  WorkingDir: "/app",
  Entrypoint: ["/probe"],
  Cmd: ["/app/first"]
}

/** A hard link to a file of the layer below: no layer with one can be added to the file system of those below it. */
const LINKED: TarEntry = { name: "app/linked", type: "1", target: "app/first" }
const FILE: TarEntry = { name: "app/linked", data: "first" }

/** What distributions' images have, and what only odd ones have; its layers are unpacked together, or added to each other. */
export const oddImage = (program: TarEntry, layers: "unpacked" | "added"): TestImage =>
  imageOf([
    [
      program,
      { name: "etc/", type: "5" },
      { name: "etc/passwd", data: "root:x:0:0::/:/probe\napp:x:1234:1234::/app:/probe\n", mode: 0o644 },
      { name: "etc/group", data: "staff:x:50:\n", mode: 0o644 },
      { name: "etc/gone", data: "removed by the second layer" },
      { name: "opt/", type: "5" },
      { name: "opt/old", data: "hidden by an opaque directory" },
      { name: "app/", type: "5", uid: 1234, gid: 50 },
      { name: "app/first", data: "first" },
      { name: "app/replaced", data: "a file" },
      { name: "setuid", data: "s", mode: 0o4755 },
      { name: "large-uid", data: "u", uid: 4_294_967_294 },
      { name: "capable", data: "c", pax: { "SCHILY.xattr.user.pyro": "kept" } },
      { name: "null", type: "3", device: [1, 3], mode: 0o666 },
      { name: "link", type: "2", target: "../../../etc/passwd" },
      { name: "run/server/", type: "5", uid: 1234, gid: 50, mode: 0o2770 },
      { name: "run/server/pid", data: "7", uid: 1234 },
      { name: "run/pyro/", type: "5", uid: 1234, mode: 0o777 },
      { name: LONG, data: "long" }
    ],
    [
      { name: "etc/.wh.gone" },
      { name: "opt/", type: "5" },
      { name: "opt/.wh..wh..opq" },
      { name: "opt/new", data: "new" },
      layers === "unpacked" ? LINKED : FILE
    ],
    [{ name: "app/replaced", type: "5" }, { name: "app/replaced/file", data: "by a directory" }]
  ], config)

/** Pulls such an image, and finds all of it in a workspace. */
export const pullsOdd = async (pyro: Installation, pulls: ReturnType<typeof pullsOf>, image: string) => {
  const pulled = await pulls.pull(image)
  assert.strictEqual(pulled.code, 0, pulled.stderr)
  const created = await pyro.call([
    "create",
    pulls.reference(image),
    "--name",
    "odd",
    "--mem-mib",
    "256",
    "--disk-mib",
    "512"
  ])
  assert.strictEqual(created.code, 0, created.stderr)
  const ran = await pyro.call([
    "exec",
    "odd",
    "--",
    "/probe",
    "/app/linked",
    "/opt/new",
    "/opt/old",
    "/etc/gone",
    "/app/replaced/file",
    "/run/server/pid",
    `/${LONG}`
  ])
  assert.strictEqual(
    ran.stdout.toString(),
    `uid=1234 gid=50 cwd=/app GREETING=hi=there /app/linked=first /opt/new=new /opt/old=- /etc/gone=- /app/replaced/file=by a directory /run/server/pid=7 /${LONG}=long\n`,
    ran.stderr
  )
  const stat = (file: string) =>
    pyro.json<{ readonly type: string; readonly mode: string; readonly uid: number; readonly gid: number }>([
      "file",
      "stat",
      "odd",
      file
    ])
  assert.deepInclude(await stat("/setuid"), { type: "file", mode: "4755" })
  assert.deepInclude(await stat("/large-uid"), { uid: 4_294_967_294 })
  assert.deepInclude(await stat("/run/server"), { type: "directory", mode: "2770", uid: 1234, gid: 50 })
  assert.deepInclude(await stat("/run/lock"), { type: "directory", mode: "1777", uid: 0 })
  assert.deepInclude(await stat("/run/pyro"), { type: "directory", mode: "0755", uid: 0 })
  assert.strictEqual((await stat("/etc/mtab")).type, "file")
  assert.deepInclude(await stat("/workspace"), { uid: 1234, gid: 50 })
  const own = await pyro.call([
    "exec",
    "odd",
    "--user",
    "root",
    "--cwd",
    "/",
    "--env",
    "GREETING=own",
    "--",
    "/probe"
  ])
  assert.strictEqual(own.stdout.toString(), "uid=0 gid=0 cwd=/ GREETING=own\n", own.stderr)
  assert.deepStrictEqual([(await pyro.call(["delete", "odd"])).code, pulls.leftovers()], [0, []])
}

/** Pulls an image that is there once more: the environment has the same bytes. */
export const pullsTheSame = async (pulls: ReturnType<typeof pullsOf>, image: string) => {
  const digest = async () => (await pulls.images()).find(({ name }) => name === pulls.reference(image))?.digest
  const first = await digest()
  assert.isDefined(first)
  assert.strictEqual((await pulls.pull(image)).code, 0)
  assert.strictEqual(await digest(), first)
}
