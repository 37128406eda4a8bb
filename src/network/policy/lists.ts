import { table } from "../../contract/names.ts"

/** A named list of hosts: those that the clients of one public service need. */
export interface HostList {
  readonly description: string
  /** Rules as `parseHostRule` reads them. */
  readonly hosts: ReadonlyArray<string>
}

/**
 * Named lists. A guest can also send data to each service: the services take uploads from every account.
 */
const HOST_LISTS = {
  npm: {
    description: "npm, pnpm and yarn: packages of registry.npmjs.org",
    // The default `registry` of npm's configuration; the registry's metadata name tarballs on the same host (docs.npmjs.com, "config").
    hosts: ["registry.npmjs.org:443"]
  },
  pypi: {
    description: "pip, uv and poetry: packages of PyPI",
    // pip's default index https://pypi.org/simple, whose files are on files.pythonhosted.org (docs.pypi.org, "Index API").
    hosts: ["pypi.org:443", "files.pythonhosted.org:443"]
  },
  debian: {
    description: "apt: packages of Debian",
    // sources.list of the images and of the installer (wiki.debian.org/SourcesList).
    hosts: ["deb.debian.org:80", "deb.debian.org:443", "security.debian.org:80", "security.debian.org:443"]
  },
  crates: {
    description: "cargo: crates of crates.io",
    // CRATES_IO_HTTP_INDEX of cargo, and `dl` and `api` in https://index.crates.io/config.json.
    hosts: ["index.crates.io:443", "static.crates.io:443", "crates.io:443"]
  },
  go: {
    description: "go: modules and toolchains of proxy.golang.org",
    // GOPROXY and GOSUMDB of go.env; toolchains are modules of the same proxy (go.dev/doc/toolchain). The proxy may redirect to
    // storage.googleapis.com, which serves everybody's buckets: only a person may grant that host.
    hosts: ["proxy.golang.org:443", "sum.golang.org:443"]
  },
  github: {
    description: "git, git-lfs and gh: repositories, archives, release files and the API of GitHub",
    // docs.github.com: "Communicating with self-hosted runners" (hosts by purpose), "Using SSH over the HTTPS port".
    hosts: [
      "github.com:443",
      "github.com:22",
      "ssh.github.com:443",
      "api.github.com:443",
      "uploads.github.com:443",
      "codeload.github.com:443",
      "raw.githubusercontent.com:443",
      "objects.githubusercontent.com:443",
      "release-assets.githubusercontent.com:443",
      "github-cloud.githubusercontent.com:443",
      "github-cloud.s3.amazonaws.com:443"
    ]
  }
} as const satisfies Readonly<Record<string, HostList>>

export const listNames = Object.keys(HOST_LISTS)

export const hostLists: Readonly<Record<string, HostList | undefined>> = table<HostList>(HOST_LISTS)
