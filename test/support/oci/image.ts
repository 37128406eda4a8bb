import { createHash } from "node:crypto"
import * as zlib from "node:zlib"
import { type TarEntry, tarOf } from "./tar.ts"

export const digestOf = (content: Uint8Array) => `sha256:${createHash("sha256").update(content).digest("hex")}`

/** An image as a registry keeps it: a manifest, and blobs by digest. */
export interface TestImage {
  readonly manifest: Buffer
  readonly mediaType: string
  readonly blobs: ReadonlyMap<string, Buffer>
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json"

/** An image of layers. `lie` changes what its manifest or configuration says. */
export const imageOf = (
  layers: ReadonlyArray<ReadonlyArray<TarEntry> | Buffer>,
  config: object,
  lie: {
    readonly diffIds?: ReadonlyArray<string>
    readonly architecture?: string
    readonly layerType?: string
    readonly packed?: ReadonlyArray<Buffer>
  } = {}
): TestImage => {
  const tars = layers.map((layer) => Buffer.isBuffer(layer) ? layer : tarOf(layer))
  const packed = lie.packed ?? tars.map((tar) => zlib.gzipSync(tar))
  const settings = Buffer.from(JSON.stringify({
    os: "linux",
    architecture: lie.architecture ?? "amd64",
    config,
    rootfs: { type: "layers", diff_ids: lie.diffIds ?? tars.map(digestOf) },
    // buildah compares the histories of images when it looks for a step that it has, and finds none without times.
    history: tars.map((_, at) => ({ created: "2026-01-01T00:00:00Z", created_by: `layer ${at}` }))
  }))
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(settings),
      size: settings.length
    },
    layers: packed.map((blob) => ({
      mediaType: lie.layerType ?? "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: digestOf(blob),
      size: blob.length
    }))
  }))
  return {
    manifest,
    mediaType: MANIFEST,
    blobs: new Map([settings, ...packed].map((blob) => [digestOf(blob), blob]))
  }
}

/** A feature of a dev container as a registry keeps it: an artifact with one layer, which is a tar archive. */
export const featureOf = (meta: object, install: string): TestImage => {
  const settings = Buffer.from("{}")
  const layer = tarOf([
    { name: "./", type: "5" },
    { name: "./devcontainer-feature.json", data: JSON.stringify(meta), mode: 0o644 },
    { name: "./install.sh", data: install }
  ])
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.devcontainers", digest: digestOf(settings), size: settings.length },
    layers: [{
      mediaType: "application/vnd.devcontainers.layer.v1+tar",
      digest: digestOf(layer),
      size: layer.length,
      annotations: { "org.opencontainers.image.title": "devcontainer-feature.tgz" }
    }]
  }))
  return { manifest, mediaType: MANIFEST, blobs: new Map([settings, layer].map((blob) => [digestOf(blob), blob])) }
}

/** An index of images for several machines. */
export const indexOf = (
  entries: ReadonlyArray<{ readonly image: TestImage; readonly architecture: string }>
): TestImage => {
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: entries.map(({ architecture, image }) => ({
      mediaType: image.mediaType,
      digest: digestOf(image.manifest),
      size: image.manifest.length,
      platform: { os: "linux", architecture }
    }))
  }))
  return {
    manifest,
    mediaType: "application/vnd.oci.image.index.v1+json",
    blobs: new Map(entries.flatMap(({ image }) => [...image.blobs, [digestOf(image.manifest), image.manifest]]))
  }
}
