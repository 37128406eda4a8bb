import type { Trust } from "../../model/trust.ts"

/** Start of the common name of each authority. A random part follows. */
export const AUTHORITY_NAME = "pyro workspace"

/** A certificate authority of one workspace, as PEM. */
export interface Authority {
  readonly certificate: string
  /** PKCS #8. */
  readonly key: string
}

/** A secret that the host puts in for its placeholder. */
export interface HeaderSecret {
  readonly name: string
  readonly placeholder: string
  /** Visible ASCII: `isHeaderValue`. */
  readonly value: string
  /** The one header that gets the value, in lower case. @default every header */
  readonly header: string | undefined
  /** Only requests that pull these repositories of a registry get the value. @default every request */
  readonly pulls?: ReadonlyArray<string> | undefined
}

/** A secret of the same workspace that belongs to other hosts. */
export type ForeignSecret = Pick<HeaderSecret, "name" | "placeholder">

/** How the dial process ends TLS for the connections to one host. */
export interface Interception {
  readonly authority: Authority
  readonly secrets: ReadonlyArray<HeaderSecret>
  /** No request may have their placeholders. */
  readonly foreign: ReadonlyArray<ForeignSecret>
  readonly trust: Trust
  /** Wall clock of the daemon, in ms since 1970. */
  readonly nowMs: number
}
