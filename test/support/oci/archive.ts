import * as fs from "node:fs"
import * as path from "node:path"
import { digestOf, type TestImage } from "./image.ts"
import { type TarEntry, tarOf } from "./tar.ts"

/** An image in an archive, with the names that the archive gives it. */
export interface NamedImage {
  readonly image: TestImage
  readonly names?: ReadonlyArray<string>
  readonly platform?: { readonly os: string; readonly architecture: string }
}

/** The files of an OCI layout. `lie` changes blobs. */
const layoutFiles = (
  images: ReadonlyArray<NamedImage>,
  lie: (digest: string, content: Buffer) => Buffer = (_, content) => content
): ReadonlyMap<string, Buffer> => {
  const manifests = images.flatMap(({ image, names = [""], platform }) =>
    names.map((name) => ({
      mediaType: image.mediaType,
      digest: digestOf(image.manifest),
      size: image.manifest.length,
      ...(platform === undefined ? {} : { platform }),
      ...(name === "" ? {} : { annotations: { "org.opencontainers.image.ref.name": name } })
    }))
  )
  const blobs = images.flatMap(({ image }) => [...image.blobs, [digestOf(image.manifest), image.manifest] as const])
  return new Map([
    ["oci-layout", Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" }))],
    ["index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }))],
    ...blobs.map(([digest, content]) => [`blobs/${digest.replace(":", "/")}`, lie(digest, content)] as const)
  ])
}

const packed = (files: ReadonlyMap<string, Buffer>) =>
  tarOf([...files].map(([name, data]): TarEntry => ({ name, data, mode: 0o644 })))

/** An OCI archive, as of `skopeo copy … oci-archive:FILE`. */
export const ociArchive = (images: ReadonlyArray<NamedImage>, lie?: (digest: string, content: Buffer) => Buffer) =>
  packed(layoutFiles(images, lie))

/** Writes an OCI layout to a new directory. */
export const writeLayout = (directory: string, images: ReadonlyArray<NamedImage>) => {
  for (const [name, data] of layoutFiles(images)) {
    fs.mkdirSync(path.join(directory, path.dirname(name)), { recursive: true })
    fs.writeFileSync(path.join(directory, name), data)
  }
}

interface Manifest {
  readonly config: { readonly digest: string }
  readonly layers: ReadonlyArray<{ readonly digest: string }>
}

/** An archive of `docker save`, in the form that Docker wrote before version 25: manifest.json, and a file for each configuration and layer. */
export const dockerArchive = (images: ReadonlyArray<NamedImage>) => {
  const files = new Map<string, Buffer>()
  const list = images.map(({ image, names = [] }) => {
    const manifest = JSON.parse(image.manifest.toString()) as Manifest
    const keep = (digest: string, ending: string) => {
      const name = `${digest.slice("sha256:".length)}${ending}`
      files.set(name, image.blobs.get(digest)!)
      return name
    }
    return {
      Config: keep(manifest.config.digest, ".json"),
      RepoTags: names,
      Layers: manifest.layers.map(({ digest }) => keep(digest, "/layer.tar"))
    }
  })
  files.set("manifest.json", Buffer.from(JSON.stringify(list)))
  return packed(files)
}
