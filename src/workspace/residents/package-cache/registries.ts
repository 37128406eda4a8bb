import type { Link, RegistryKind } from "../../../lib/network/model/cache-access.ts"
import type { GuestFile } from "../program/guest-file.ts"

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
  readonly link?: Link
}

const HTTP = 80
const HTTPS = 443

// npm keeps the host of its registry and drops the path (pacote's `replace-registry-host`), so each registry has a host of its own.
const DOMAIN = ".packages.pyro.internal"
const NPM = `npm${DOMAIN}`
const NPM_LOCAL = `npm-local${DOMAIN}`
const PYPI = `pypi${DOMAIN}`
const PYPI_FILES = `files${DOMAIN}`
const CRATES = `crates${DOMAIN}`
const CRATES_FILES = `crates-files${DOMAIN}`
const GO = `go${DOMAIN}`
const GO_SUMS = `go-sums${DOMAIN}`
const MAVEN = `maven${DOMAIN}`

const NPM_LINK = "https://registry.npmjs.org/"

const registries: ReadonlyArray<Registry> = [
  {
    kind: "npm",
    host: "registry.npmjs.org",
    port: HTTPS,
    alias: NPM,
    // npm asks the registry of its settings for tarballs, and writes the document's link into its lock file. pnpm before 11 reads npm's settings.
    link: { from: NPM_LINK, to: `http://${NPM}/`, client: "pnpm/" }
  },
  {
    kind: "npm",
    host: "registry.npmjs.org",
    port: HTTPS,
    alias: NPM_LOCAL,
    link: { from: NPM_LINK, to: `http://${NPM_LOCAL}/` }
  },
  {
    kind: "pypi-index",
    host: "pypi.org",
    port: HTTPS,
    alias: PYPI,
    link: { from: "https://files.pythonhosted.org/", to: `http://${PYPI_FILES}/` }
  },
  { kind: "pypi-files", host: "files.pythonhosted.org", port: HTTPS, alias: PYPI_FILES },
  {
    kind: "crates-index",
    host: "index.crates.io",
    port: HTTPS,
    alias: CRATES,
    // `dl` of its config.json.
    link: { from: "https://static.crates.io/", to: `http://${CRATES_FILES}/` }
  },
  { kind: "crates-files", host: "static.crates.io", port: HTTPS, alias: CRATES_FILES },
  { kind: "go", host: "proxy.golang.org", port: HTTPS, alias: GO },
  { kind: "go-sums", host: "sum.golang.org", port: HTTPS, alias: GO_SUMS },
  { kind: "maven", host: "repo.maven.apache.org", port: HTTPS, alias: MAVEN },
  { kind: "debian", host: "deb.debian.org", port: HTTP },
  { kind: "debian", host: "security.debian.org", port: HTTP }
]

/** A registry of images, whose clients ask the registry itself. */
export const imageRegistry = (host: string, port: number): Registry => ({ kind: "images", host, port })

/** The registry that a connection of a guest is for, if the cache answers such connections. */
export const registryOf = (name: string, port: number): Registry | undefined =>
  registries.find((one) =>
    one.alias === undefined ? one.host === name && one.port === port : one.alias === name && port === HTTP
  )

const SENTENCE =
  "Written by pyro: packages come through the cache of the host. A setting of the user or the project comes first."
const MARK = `# ${SENTENCE}\n`

/** Settings of a client that lead it to the cache. */
export interface ClientSettings {
  /** All must be allowed. */
  readonly registries: ReadonlyArray<Registry>
  /** A host with another way to the packages, which the settings would replace. They are left out if the policy allows the host. */
  readonly unlessAllowed?: Pick<Registry, "host" | "port">
  /** Files of lowest priority, relative to the root. */
  readonly paths: ReadonlyArray<string>
  readonly text: string
}

const ofKinds = (...kinds: ReadonlyArray<RegistryKind>) => registries.filter(({ kind }) => kinds.includes(kind))

/** npm's settings for the machine. An npm elsewhere, such as in /opt, looks for them beneath its own prefix, unless a variable names the file. */
export const npmSettings: ClientSettings = {
  registries: ofKinds("npm"),
  // The global npmrc: of Debian's package (its built-in npmrc), and beneath the prefix of an npm in /usr/local or /usr.
  paths: ["etc/npmrc", "usr/local/etc/npmrc", "usr/etc/npmrc"],
  text: `${MARK}registry=http://${NPM}/\n`
}

/** Leads npm to its settings, wherever it is installed. Settings of the user and the project still come first. */
export const npmVariables = { npm_config_globalconfig: "/etc/npmrc" } as const

export const clientSettings: ReadonlyArray<ClientSettings> = [
  npmSettings,
  {
    registries: ofKinds("npm"),
    // Read after the global npmrc, which pnpm looks for beside the node that runs it.
    paths: ["root/.config/pnpm/rc"],
    text: `${MARK}registry=http://${NPM_LOCAL}/\n`
  },
  {
    registries: ofKinds("npm"),
    // pnpm from 11 on reads no other file of the machine.
    paths: ["root/.config/pnpm/config.yaml"],
    text: `${MARK}registries: { default: "http://${NPM_LOCAL}/" }\n`
  },
  {
    registries: ofKinds("npm"),
    // Yarn from 2 on. Yarn 1 writes the address of its registry into lock files.
    paths: ["root/.yarnrc.yml"],
    text: `${MARK}npmRegistryServer: "http://${NPM_LOCAL}"\nunsafeHttpWhitelist: ["${NPM_LOCAL}"]\n`
  },
  {
    registries: ofKinds("pypi-index", "pypi-files"),
    paths: ["etc/pip.conf"],
    text: `${MARK}[global]\nindex-url = http://${PYPI}/simple\ntrusted-host =\n    ${PYPI}\n    ${PYPI_FILES}\n`
  },
  {
    registries: ofKinds("crates-index", "crates-files"),
    // Debian 12's cargo reads no such settings, and takes the index from GitHub.
    unlessAllowed: { host: "github.com", port: HTTPS },
    // CARGO_HOME of root: a file beneath a project comes first. Cargo.lock names crates.io, as without the cache.
    paths: ["root/.cargo/config.toml"],
    text:
      `${MARK}source.crates-io.replace-with = "${CRATES}"\nsource."${CRATES}".registry = "sparse+http://${CRATES}/"\n`
  },
  {
    registries: ofKinds("go", "go-sums"),
    // What `go env -w` writes; variables of the environment come first.
    paths: ["root/.config/go/env"],
    text: `${MARK}GOPROXY=http://${GO},direct\nGOSUMDB=sum.golang.org http://${GO_SUMS}\n`
  },
  {
    registries: ofKinds("maven"),
    paths: ["root/.m2/settings.xml"],
    // One line: without pyro's lines, nothing is left.
    text: `<settings><!-- ${SENTENCE} --><mirrors><mirror><id>pyro</id><mirrorOf>central</mirrorOf>` +
      `<url>http://${MAVEN}/maven2</url></mirror></mirrors></settings>\n`
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
