import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { rawZip } from "../../../unit/lib/disk/zip-bytes.ts"
import { temporaryFolder } from "../../pyro-cli.ts"

/** One answer of a registry. */
export interface Page {
  readonly type: string
  readonly body: string | Buffer
}

/** The files of a registry, by path. */
export type Pages = Readonly<Record<string, Page>>

const json = (value: unknown): Page => ({ type: "application/json", body: JSON.stringify(value) })
const text = (body: string): Page => ({ type: "text/plain", body })
const binary = (body: Buffer): Page => ({ type: "application/octet-stream", body })
const hash = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes)

const tarball = (root: string, files: Readonly<Record<string, string>>): Buffer => {
  const { folder, remove } = temporaryFolder("pyro-tarball-")
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, root, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
  }
  const bytes = execFileSync("tar", ["-czf", "-", "-C", folder, root])
  remove()
  return bytes
}

/** The npm package `demo`. */
export const npmPages = (host: string): Pages => {
  const manifest = { name: "demo", version: "1.0.0", main: "index.js" }
  const bytes = tarball("package", {
    "package.json": JSON.stringify(manifest),
    "index.js": "module.exports = 'npm demo'\n"
  })
  const dist = {
    tarball: `https://${host}/npm/demo/-/demo-1.0.0.tgz`,
    integrity: `sha512-${hash("sha512", bytes).digest("base64")}`
  }
  return {
    "/npm/demo": json({
      name: "demo",
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { ...manifest, _id: "demo@1.0.0", dist } }
    }),
    "/npm/demo/-/demo-1.0.0.tgz": binary(bytes)
  }
}

/** The Python project `demo`, as PEP 503 lists its wheel. */
export const pypiPages: Pages = (() => {
  const info = "demo-1.0.dist-info"
  const wheel = rawZip(
    { name: "demo.py", content: "print('pypi demo')\n" },
    { name: `${info}/METADATA`, content: "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n" },
    {
      name: `${info}/WHEEL`,
      content: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    },
    { name: `${info}/RECORD`, content: `demo.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n` }
  )
  const file = "demo-1.0-py3-none-any.whl"
  const link = `<a href="/pypi/files/${file}#sha256=${hash("sha256", wheel).digest("hex")}">${file}</a>`
  return {
    "/pypi/simple/demo/": { type: "text/html", body: `<!DOCTYPE html><html><body>${link}</body></html>\n` },
    [`/pypi/files/${file}`]: binary(wheel)
  }
})()

/** The crate `demo` in a sparse index (RFC 2789). */
export const cargoPages = (host: string): Pages => {
  const crate = tarball("demo-1.0.0", {
    "Cargo.toml": "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
    "src/lib.rs": "pub fn hello() -> &'static str { \"cargo demo\" }\n"
  })
  const version = { name: "demo", vers: "1.0.0", deps: [], features: {}, yanked: false }
  return {
    "/cargo/index/config.json": json({
      dl: `https://${host}/cargo/crates`,
      api: `https://${host}/cargo`,
      "auth-required": true
    }),
    "/cargo/index/de/mo/demo": text(JSON.stringify({ ...version, cksum: hash("sha256", crate).digest("hex") })),
    "/cargo/crates/demo/1.0.0/download": binary(crate)
  }
}

/** The Go module `example.test/demo` (go.dev/ref/mod, "GOPROXY protocol"). */
export const goPages: Pages = (() => {
  const root = "example.test/demo@v1.0.0"
  const mod = "module example.test/demo\n\ngo 1.19\n"
  const source = "package demo\n\nfunc Hello() string { return \"go demo\" }\n"
  return {
    "/go/example.test/demo/@v/list": text("v1.0.0\n"),
    "/go/example.test/demo/@v/v1.0.0.info": json({ Version: "v1.0.0", Time: "2024-01-01T00:00:00Z" }),
    "/go/example.test/demo/@v/v1.0.0.mod": text(mod),
    "/go/example.test/demo/@v/v1.0.0.zip": binary(rawZip(
      { name: `${root}/go.mod`, content: mod },
      { name: `${root}/demo.go`, content: source }
    ))
  }
})()
