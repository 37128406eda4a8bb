/** A full reference to an image of a registry. */
export interface ImageReference {
  /** The reference as one name for each image: the host in lower case, with a tag or a digest. */
  readonly name: string
  /** The registry, as HOST or HOST:PORT. */
  readonly registry: string
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

/** A domain of distribution's grammar (github.com/distribution/reference, reference.go): it has a dot or a port, or is localhost. */
const domain =
  /^(localhost|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+|[a-z0-9-]+(?=:))(:[0-9]{1,5})?$/
const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*"
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`)
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const digestPattern = /^sha256:[0-9a-f]{64}$/

/** Maximum characters of a reference. Distribution's own limit for a repository with its domain is 255. */
const MAX_CHARACTERS = 400

/** Reads HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]. Undefined for other texts, and for short names, which would need a guess. */
export const parseReference = (text: string): ImageReference | undefined => {
  if (text.length > MAX_CHARACTERS) return undefined
  const slash = text.indexOf("/")
  if (slash === -1) return undefined
  const registry = text.slice(0, slash).toLowerCase()
  if (!domain.test(registry)) return undefined
  const [path = "", digest, ...more] = text.slice(slash + 1).split("@")
  const colon = path.lastIndexOf(":")
  const tag = colon === -1 ? undefined : path.slice(colon + 1)
  const given = colon === -1 ? path : path.slice(0, colon)
  const repository = registry === "docker.io" && !given.includes("/") ? `library/${given}` : given
  if (more.length > 0 || !repositoryPattern.test(repository)) return undefined
  if (tag !== undefined && !tagPattern.test(tag) || digest !== undefined && !digestPattern.test(digest)) {
    return undefined
  }
  const which = `${tag === undefined ? digest === undefined ? ":latest" : "" : `:${tag}`}${
    digest === undefined ? "" : `@${digest}`
  }`
  return {
    name: `${registry}/${repository}${which}`,
    registry,
    repository,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    digest
  }
}

/**
 * The full reference that an invalid text probably means: a short name, which Docker looks for at Docker Hub, upper case, or a
 * scheme in front. Undefined if the text is like no image's name.
 */
export const probableReference = (text: string): string | undefined => {
  const [path = "", ...rest] = text.replace(/^[a-z-]+:\/\//i, "").split(/(?=[:@][^/]*$)/)
  const lower = [path.toLowerCase(), ...rest].join("")
  return (parseReference(lower) ?? parseReference(`docker.io/${lower}`))?.name
}

/** A full reference, or a pattern of the references of one registry, in which `*` is any text. */
export const isImagePattern = (pattern: string): boolean =>
  pattern.includes("*")
    ? /^[a-z0-9.-]+(:\d{1,5})?\/[\w.*/:@-]{1,400}$/.test(pattern)
    : parseReference(pattern) !== undefined
