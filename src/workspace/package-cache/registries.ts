import type { RegistryKind } from "../../network/package-cache/access.ts"
import type { GuestFile } from "../guest-file.ts"

/** A registry whose downloads are kept on the host. */
export interface Registry {
  readonly kind: RegistryKind
  /** Host that a policy must allow. */
  readonly host: string
  readonly port: number
  /**
   * Name by which the guest's clients ask the cache, without TLS. Absent for a registry that clients ask without TLS anyway: the cache
   * answers in its place.
   */
  readonly alias?: string
  /** Replaced in indexes, so that a client finds files in the cache too. */
  readonly link?: { readonly from: string; readonly to: string }
}

const HTTP = 80
const HTTPS = 443

// npm keeps the host of its registry and drops the path (pacote's `replace-registry-host`), so each registry has a host of its own.
const DOMAIN = ".packages.pyro.internal"
const NPM = `npm${DOMAIN}`
const PYPI = `pypi${DOMAIN}`
const PYPI_FILES = `files${DOMAIN}`

const registries: ReadonlyArray<Registry> = [
  { kind: "npm", host: "registry.npmjs.org", port: HTTPS, alias: NPM },
  {
    kind: "pypi-index",
    host: "pypi.org",
    port: HTTPS,
    alias: PYPI,
    link: { from: "https://files.pythonhosted.org/", to: `http://${PYPI_FILES}/` }
  },
  { kind: "pypi-files", host: "files.pythonhosted.org", port: HTTPS, alias: PYPI_FILES },
  { kind: "debian", host: "deb.debian.org", port: HTTP },
  { kind: "debian", host: "security.debian.org", port: HTTP }
]

/** The registry that a connection of a guest is for, if the cache answers such connections. */
export const registryOf = (name: string, port: number): Registry | undefined =>
  registries.find((one) =>
    one.alias === undefined ? one.host === name && one.port === port : one.alias === name && port === HTTP
  )

const MARK =
  "# Written by pyro: packages come through the cache of the host. A setting of the user or the project comes first.\n"

/** Settings of a client that lead it to the cache. */
export interface ClientSettings {
  /** All must be allowed. */
  readonly registries: ReadonlyArray<Registry>
  /** Files of lowest priority, relative to the root. */
  readonly paths: ReadonlyArray<string>
  readonly text: string
}

const ofKinds = (...kinds: ReadonlyArray<RegistryKind>) => registries.filter(({ kind }) => kinds.includes(kind))

export const clientSettings: ReadonlyArray<ClientSettings> = [
  {
    registries: ofKinds("npm"),
    // The global npmrc: of Debian's package (its built-in npmrc), and beneath the prefix of an npm in /usr/local or /usr.
    paths: ["etc/npmrc", "usr/local/etc/npmrc", "usr/etc/npmrc"],
    text: `${MARK}registry=http://${NPM}/\n`
  },
  {
    registries: ofKinds("pypi-index", "pypi-files"),
    paths: ["etc/pip.conf"],
    text: `${MARK}[global]\nindex-url = http://${PYPI}/simple\ntrusted-host =\n    ${PYPI}\n    ${PYPI_FILES}\n`
  }
]

/** A file of settings without the lines that pyro wrote. A client may have added lines of its own. */
export const withoutOwnLines = (text: string): string =>
  clientSettings.some((one) => one.text === text)
    ? ""
    : text.split("\n").filter((line) => !line.includes(DOMAIN) && `${line}\n` !== MARK).join("\n")

/** The files of settings on a guest's disk. */
export const settingsFiles: ReadonlyArray<GuestFile> = clientSettings.flatMap(({ paths }) =>
  paths.map((path): GuestFile => ({
    path: `/${path}`,
    without: (content) => {
      const rest = withoutOwnLines(content)
      return rest === "" ? undefined : rest
    }
  }))
)
