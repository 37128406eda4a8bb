import { type ImageReference, parseReference } from "./image-reference.ts"
import { named } from "./names.ts"

/** Mirrors by registry, in the order in which they are asked. A mirror is HOST[:PORT][/PREFIX]. */
export type RegistryMirrors = Readonly<Record<string, ReadonlyArray<string>>>

const MAX_MIRRORS = 8

const isMirror = (text: string) => text === text.toLowerCase() && parseReference(`${text}/app`) !== undefined

/** Reads `REGISTRY=MIRROR[,MIRROR…]`, with blanks between registries. Undefined for other texts. */
export const parseMirrors = (text: string): RegistryMirrors | undefined => {
  const entries = text.split(/\s+/).filter((word) => word !== "").map((word) => {
    const at = word.indexOf("=")
    return [word.slice(0, Math.max(at, 0)), word.slice(at + 1).split(",")] as const
  })
  const isValid = entries.every(([registry, mirrors]) =>
    parseReference(`${registry}/app`)?.registry === registry && mirrors.length <= MAX_MIRRORS &&
    mirrors.every(isMirror)
  )
  const isOnce = new Set(entries.map(([registry]) => registry)).size === entries.length
  return isValid && isOnce ? named(entries) : undefined
}

/** The same image at each mirror of its registry, with the mirror's name. */
export const mirroredReferences = (
  { digest, registry, repository, tag }: ImageReference,
  mirrors: RegistryMirrors
): ReadonlyArray<{ readonly mirror: string; readonly reference: ImageReference }> =>
  (mirrors[registry] ?? []).flatMap((mirror) => {
    const which = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`
    const reference = parseReference(`${mirror}/${repository}${which}`)
    // A name that is too long with the prefix is at the registry alone.
    return reference === undefined ? [] : [{ mirror, reference }]
  })
