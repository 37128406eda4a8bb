import { table } from "../../../contract/text/names.ts"

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
    description: "npm, pnpm and yarn: packages of npm",
    // The default `registry` of npm's configuration; the registry's metadata name tarballs on the same host (docs.npmjs.com, "config").
    // Yarn has a name of its own for the same registry (yarnpkg.com, "npmRegistryServer").
    hosts: ["registry.npmjs.org:443", "registry.yarnpkg.com:443"]
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
    // storage.googleapis.com, which serves buckets of all its users: only a person may grant that host.
    hosts: ["proxy.golang.org:443", "sum.golang.org:443"]
  },
  rustup: {
    description: "rustup: toolchains of Rust",
    // RUSTUP_DIST_SERVER and RUSTUP_UPDATE_ROOT (rust-lang.github.io/rustup, "Environment variables"); the installer's script.
    hosts: ["static.rust-lang.org:443", "sh.rustup.rs:443"]
  },
  maven: {
    description: "Maven, Gradle and sbt: libraries of Maven Central",
    // `central` of Maven's super POM and Gradle's mavenCentral(); sbt and others use the older name of the same host.
    hosts: ["repo.maven.apache.org:443", "repo1.maven.org:443"]
  },
  gradle: {
    description: "Gradle: its wrapper (from GitHub), plugins, and Maven Central",
    // `distributionUrl` of the wrapper, which redirects to release files of GitHub; the plugin portal and its files; mavenCentral().
    hosts: [
      "services.gradle.org:443",
      "downloads.gradle.org:443",
      "github.com:443",
      "release-assets.githubusercontent.com:443",
      "plugins.gradle.org:443",
      "plugins-artifacts.gradle.org:443",
      "repo.maven.apache.org:443"
    ]
  },
  "docker-hub": {
    description: "docker pull: images of Docker Hub",
    // The registry, its tokens, and where it redirects layers to (docs.docker.com, "Allowlist for Docker Desktop").
    hosts: [
      "registry-1.docker.io:443",
      "docker.io:443",
      "auth.docker.io:443",
      "production.cloudflare.docker.com:443",
      "production.cloudfront.docker.com:443",
      "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com:443"
    ]
  },
  ghcr: {
    description: "images of GitHub's registry ghcr.io",
    // Tokens come from ghcr.io itself; layers from pkg-containers (docs.github.com, "Working with the Container registry").
    hosts: ["ghcr.io:443", "pkg-containers.githubusercontent.com:443"]
  },
  quay: {
    description: "images of quay.io",
    // docs.redhat.com, "Firewall changes for container image pulls": layers come from the CDN hosts.
    hosts: ["quay.io:443", "cdn.quay.io:443", "cdn01.quay.io:443", "cdn02.quay.io:443", "cdn03.quay.io:443"]
  },
  mcr: {
    description: "images of Microsoft's registry mcr.microsoft.com",
    // github.com/microsoft/containerregistry, "Client firewall rules": the REST endpoint and the data endpoint.
    hosts: ["mcr.microsoft.com:443", "*.data.mcr.microsoft.com:443"]
  },
  "ecr-public": {
    description: "images of Amazon's public gallery public.ecr.aws",
    // docs.aws.amazon.com, "Public registries": layers come from a CloudFront host of the service.
    hosts: ["public.ecr.aws:443", "d5l0dvt14r5h8.cloudfront.net:443"]
  },
  gcr: {
    description: "images of Google's gcr.io",
    // cloud.google.com/artifact-registry, "Access control": layers are objects of storage.googleapis.com.
    hosts: ["gcr.io:443", "storage.googleapis.com:443"]
  },
  rubygems: {
    description: "gem and Bundler: gems of rubygems.org",
    // The default source, and the host of its compact index (guides.rubygems.org).
    hosts: ["rubygems.org:443", "index.rubygems.org:443"]
  },
  nuget: {
    description: "dotnet and NuGet: packages of nuget.org",
    // The default source, whose resources for a restore are on the same host (learn.microsoft.com, "NuGet Server API").
    hosts: ["api.nuget.org:443"]
  },
  packagist: {
    description: "Composer: packages of Packagist, with their files from GitHub",
    // The default repository; `dist` of its packages is api.github.com, which redirects to codeload.github.com (getcomposer.org).
    hosts: ["repo.packagist.org:443", "packagist.org:443", "api.github.com:443", "codeload.github.com:443"]
  },
  hex: {
    description: "mix and rebar3: packages of Hex",
    // HEX_API_URL and HEX_MIRROR; `mix local.hex` and `mix local.rebar` fetch from builds.hex.pm (hexdocs.pm/mix).
    hosts: ["hex.pm:443", "repo.hex.pm:443", "builds.hex.pm:443"]
  },
  "uv-python": {
    description: "uv: versions of Python, from Astral or GitHub",
    // `uv python install`: releases.astral.sh, else the releases of python-build-standalone (docs.astral.sh/uv, "UV_PYTHON_INSTALL_MIRROR").
    hosts: ["releases.astral.sh:443", "github.com:443", "release-assets.githubusercontent.com:443"]
  },
  conda: {
    description: "conda and mamba: packages of conda-forge and Anaconda",
    // `channel_alias` and `default_channels` of conda's configuration (docs.conda.io).
    hosts: ["conda.anaconda.org:443", "repo.anaconda.com:443"]
  },
  huggingface: {
    description: "huggingface_hub: models and data sets of Hugging Face",
    // `hubDomains`, `lfsDomains` and `cdnDomains` of huggingface.co/.well-known/meta.json; the servers of hf_xet.
    hosts: [
      "huggingface.co:443",
      "cdn-lfs.hf.co:443",
      "cdn-lfs-us-1.hf.co:443",
      "cdn-lfs-eu-1.hf.co:443",
      "cas-server.xethub.hf.co:443",
      "cas-bridge.xethub.hf.co:443",
      "transfer.xethub.hf.co:443",
      "transfer.xethub-eu.hf.co:443",
      "aws.cdn.hf.co:443",
      "us.aws.cdn.hf.co:443",
      "us-east-1.aws.cdn.hf.co:443",
      "us-west-2.aws.cdn.hf.co:443",
      "eu-west-3.aws.cdn.hf.co:443",
      "ap-southeast-1.aws.cdn.hf.co:443",
      "us.gcp.cdn.hf.co:443",
      "us-east1.us.gcp.cdn.hf.co:443",
      "us-central1.us.gcp.cdn.hf.co:443",
      "us-west4.us.gcp.cdn.hf.co:443",
      "europe-west4.us.gcp.cdn.hf.co:443",
      "asia-southeast1.us.gcp.cdn.hf.co:443"
    ]
  },
  playwright: {
    description: "Playwright: its browsers",
    // PLAYWRIGHT_CDN_MIRRORS of playwright-core's registry.
    hosts: ["cdn.playwright.dev:443", "playwright.download.prss.microsoft.com:443"]
  },
  github: {
    description: "git, git-lfs and gh: repositories, files and the API of GitHub",
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
