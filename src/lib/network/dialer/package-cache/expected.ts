import { promisify } from "node:util"
import { gunzip } from "node:zlib"
import type { RegistryKind } from "../../model/cache-access.ts"
import type { Entry } from "./entry.ts"
import { ANY, indexAccepts, keyOf } from "./keeping.ts"

/** The hash that a registry gives for a file. */
export interface Expected {
  readonly algorithm: "sha1" | "sha256" | "sha512"
  /** In hexadecimal digits. */
  readonly digest: string
}

/** A larger index is not read: it would hold up the connections of all guests. */
const MAX_INDEX_BYTES = 8 * 1024 * 1024

/** The kept answers. */
export interface Kept {
  readonly get: (key: string) => Promise<Entry | undefined>
}

const unzip = promisify(gunzip)

const textOf = async (entry: Entry): Promise<string | undefined> => {
  try {
    if (entry.bodyBytes > MAX_INDEX_BYTES) return undefined
    const reader = entry.body(() => {})
    const pieces: Array<Buffer> = []
    for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) pieces.push(bytes)
    const body = Buffer.concat(pieces)
    return (entry.head.contentEncoding === undefined ? body : await unzip(body, { maxOutputLength: MAX_INDEX_BYTES }))
      .toString()
  } catch {
    // A damaged index, or a large one.
    return undefined
  } finally {
    await entry.close()
  }
}

/** The first hash that one of the kept indexes has. */
const inIndexes = async (
  kept: Kept,
  keys: ReadonlyArray<string>,
  find: (text: string) => Expected | undefined
): Promise<Expected | undefined> => {
  for (const key of keys) {
    const entry = await kept.get(key)
    const text = entry === undefined ? undefined : await textOf(entry)
    const found = text === undefined ? undefined : find(text)
    if (found !== undefined) return found
  }
  return undefined
}

const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? value as Record<string, unknown> : {}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const NPM_FILE = /^\/(@[^/%]+(?:%2[fF]|\/))?([^/%@]+)\/-\/\2-(.+)\.tgz$/

const npmDigest = (path: string, version: string) => (text: string): Expected | undefined => {
  const { integrity, tarball } = object(object(object(object(parsed(text))["versions"])[version])["dist"])
  const [, digest] = /^sha512-([A-Za-z0-9+/]{86}==)/.exec(String(integrity)) ?? []
  if (digest === undefined || !String(tarball).endsWith(path)) return undefined
  return { algorithm: "sha512", digest: Buffer.from(digest, "base64").toString("hex") }
}

const ofNpm = async (kept: Kept, path: string, host: { readonly name: string; readonly port: number }) => {
  const [, scope = "", name, version] = NPM_FILE.exec(path) ?? []
  if (name === undefined || version === undefined) return undefined
  const plain = scope.replace(/(?:%2f|\/)$/i, "")
  const paths = scope === "" ? [`/${name}`] : ["%2f", "%2F", "/"].map((slash) => `/${plain}${slash}${name}`)
  const keys = paths.flatMap((index) => indexAccepts.npm.map((accept) => keyOf(host, index, accept)))
  return await inIndexes(
    kept,
    keys,
    npmDigest(`/${plain}${scope === "" ? "" : "/"}${name}/-/${name}-${version}.tgz`, version)
  )
}

/** `Foo_Bar-1.0.tar.gz` -> `foo-bar` (PEP 503). */
const projectOf = (file: string) =>
  (/\.whl$/.test(file) ? file.split("-")[0]! : file.replace(/-[^-]*$/, "")).toLowerCase().replace(/[-_.]+/g, "-")

const pypiDigest = (path: string) => (text: string): Expected | undefined => {
  const files = object(parsed(text))["files"]
  const file = Array.isArray(files) ? files.map(object).find(({ url }) => String(url).endsWith(path)) : undefined
  const at = text.indexOf(`${path}#sha256=`)
  const digest = file === undefined
    ? at < 0 ? "" : text.slice(at + path.length + "#sha256=".length).slice(0, 64)
    : String(object(file["hashes"])["sha256"])
  return /^[0-9a-f]{64}$/.test(digest) ? { algorithm: "sha256", digest } : undefined
}

const ofPypi = (kept: Kept, path: string, port: number) => {
  const project = projectOf(path.slice(path.lastIndexOf("/") + 1))
  const host = { name: "pypi.org", port }
  const keys = indexAccepts.pypi.map((accept) => keyOf(host, `/simple/${project}/`, accept))
  return inIndexes(kept, keys, pypiDigest(path))
}

/** Path of a crate's file in the index. */
const crateIndex = (name: string) => {
  const lower = name.toLowerCase()
  const folder = lower.length < 3
    ? `${lower.length}`
    : lower.length === 3
    ? `3/${lower[0]}`
    : `${lower.slice(0, 2)}/${lower.slice(2, 4)}`
  return `/${folder}/${lower}`
}

const crateDigest = (version: string) => (text: string): Expected | undefined => {
  const line = text.split("\n").map((one) => object(parsed(one))).find(({ vers }) => vers === version)
  const digest = String(line?.["cksum"])
  return /^[0-9a-f]{64}$/.test(digest) ? { algorithm: "sha256", digest } : undefined
}

const ofCrates = async (kept: Kept, path: string, port: number) => {
  const [, , name = "", version = ""] = path.split("/")
  const key = keyOf({ name: "index.crates.io", port }, crateIndex(name), ANY)
  return await inIndexes(kept, [key], crateDigest(version))
}

const mavenDigest = (text: string): Expected | undefined => {
  const [digest] = /^[0-9a-f]{40}\b/.exec(text) ?? []
  return digest === undefined ? undefined : { algorithm: "sha1", digest }
}

const ofMaven = (kept: Kept, path: string, port: number) =>
  inIndexes(kept, [keyOf({ name: "repo.maven.apache.org", port }, `${path}.sha1`, ANY)], mavenDigest)

const BY_HASH = /\/by-hash\/SHA(1|256|512)\/([0-9a-f]+)$/
const ALGORITHMS = { 1: "sha1", 256: "sha256", 512: "sha512" } as const

const ofDebian = (path: string): Expected | undefined => {
  const [, bits, digest] = BY_HASH.exec(path) ?? []
  return digest === undefined ? undefined : { algorithm: ALGORITHMS[Number(bits) as keyof typeof ALGORITHMS], digest }
}

/** The hash that a file must have: from its name or a kept index; else `undefined`. */
export const expectedOf = async (
  kept: Kept,
  kind: RegistryKind,
  path: string,
  port: number
): Promise<Expected | undefined> => {
  switch (kind) {
    case "npm":
      return await ofNpm(kept, path, { name: "registry.npmjs.org", port })
    case "pypi-files":
      return await ofPypi(kept, path, port)
    case "debian":
      return ofDebian(path)
    case "crates-files":
      return await ofCrates(kept, path, port)
    case "maven":
      return await ofMaven(kept, path, port)
    // The hash of a Go module is that of its files: the client compares it with go.sum and the checksum database.
    case "go":
    case "go-sums":
    case "crates-index":
    case "pypi-index":
    case "images":
      return undefined
  }
}
