/** Values that a variable takes. */
export type Allowed =
  | { readonly kind: "text"; readonly what: string }
  /** A relative one belongs to the caller's working directory. */
  | { readonly kind: "directory" }
  /** Absolute, because the daemon's working directory is `/`. */
  | { readonly kind: "absolute-path"; readonly what: string }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "number"; readonly min: number; readonly max: number }
  /** Mirrors of registries of images, as `parseMirrors` reads them. */
  | { readonly kind: "mirrors" }
  | { readonly kind: "choice"; readonly choices: ReadonlyArray<string> }

/** Allowed values as a sentence names them. */
export const allowedText = (allowed: Allowed): string => {
  switch (allowed.kind) {
    case "text":
      return allowed.what
    case "directory":
      return "an absolute path of a directory"
    case "absolute-path":
      return `an absolute path of ${allowed.what}`
    case "integer":
      return `an integer from ${allowed.min} to ${allowed.max}`
    case "number":
      return `a number from ${allowed.min} to ${allowed.max}`
    case "mirrors":
      return "`REGISTRY=MIRROR[,MIRROR…]`, with blanks between registries; a mirror is `HOST[:PORT][/PREFIX]`"
    case "choice":
      return allowed.choices.join(" or ")
  }
}
