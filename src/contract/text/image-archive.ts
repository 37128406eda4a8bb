import { parseReference } from "./image-reference.ts"

/** Where an image is, if not in a registry, in the words of skopeo's transports. */
const TRANSPORTS = ["oci", "oci-archive", "docker-archive", "docker-daemon"] as const
type Transport = (typeof TRANSPORTS)[number]

/** A file, a directory or an engine of the host that has an image. */
export interface ImageArchive {
  /** All of it as one name: TRANSPORT:PATH[:IMAGE], or docker-daemon:IMAGE. */
  readonly name: string
  readonly transport: Transport
  /** File or directory of the host. Empty for an engine. */
  readonly path: string
  /** The image in it. Undefined: its only one. */
  readonly image: string | undefined
}

/** Maximum characters of a name. Linux's own limit for a path is 4,095. */
const MAX_CHARACTERS = 4400

const pattern = new RegExp(`^(${TRANSPORTS.join("|")}):(.+)$`)

const control = /[\u0000-\u001f\u007f]/

/** Reads TRANSPORT:PATH[:IMAGE] and docker-daemon:IMAGE. As in skopeo, the first colon ends the path. Undefined for other texts. */
export const parseArchive = (text: string): ImageArchive | undefined => {
  const [, transport, rest = ""] = pattern.exec(text) ?? []
  if (transport === undefined || text.length > MAX_CHARACTERS || control.test(text)) return undefined
  if (transport === "docker-daemon") return { name: text, transport, path: "", image: rest }
  const colon = rest.indexOf(":")
  const path = colon === -1 ? rest : rest.slice(0, colon)
  const image = colon === -1 ? undefined : rest.slice(colon + 1)
  return path === "" || image === "" ? undefined : { name: text, transport: transport as Transport, path, image }
}

/** Whether a text is the name of an environment that is an image of a registry or of an archive. */
export const isImageName = (text: string): boolean =>
  parseArchive(text) !== undefined || parseReference(text)?.name === text

/** The same archive with an absolute path. Other texts stay. */
export const withAbsolutePath = (text: string, resolve: (path: string) => string): string => {
  const archive = parseArchive(text)
  if (archive === undefined || archive.path === "") return text
  const { image, path, transport } = archive
  return `${transport}:${resolve(path)}${image === undefined ? "" : `:${image}`}`
}

/** Whether a text names an archive by an absolute path, or an image of an engine. */
export const hasAbsolutePath = (text: string): boolean => /^($|\/)/.test(parseArchive(text)?.path ?? "relative")

/** A name for the environment of a file without one: `app` of /tmp/App.tar.gz. */
export const environmentOfFile = (path: string): string =>
  path.slice(path.lastIndexOf("/") + 1).toLowerCase().replace(/(\.(tar|tgz|gz|xz|zst|oci|docker))+$/, "")
    .replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+/, "").slice(0, 63)
