import { named } from "../../../src/contract/text/names.ts"

/** A client of a public registry, with a project of one or two small dependencies. */
export interface RegistryClient {
  readonly name: string
  /** Makes the project in the current directory. */
  readonly project: string
  /** Installs from the registry into an empty place of its own, and writes the lock file. */
  readonly install: string
  /** What has to be the same with and without the cache. */
  readonly lock: string
  /** Hosts whose files come from the cache, also where the registry cannot say that an index is unchanged. Empty for a client that goes past it. */
  readonly cached: ReadonlyArray<string>
}

/** Each client has packages of its own: the cache asks the registry again about what a guest asks for twice. */
const packageJson = (...names: ReadonlyArray<string>) =>
  `printf '%s' '${
    JSON.stringify({ name: "x", version: "1.0.0", dependencies: named(names.map((name) => [name, "*"])) })
  }' > package.json`
const NPM = ["registry.npmjs.org"]

/** pnpm, Yarn and uv, by npm and pip. */
export const installClients = `export npm_config_update_notifier=false
mkdir -p /opt/node/yarn1 && cd /opt/node
npm install --no-audit --no-fund --loglevel=error pnpm@10 @yarnpkg/cli-dist@4
cd yarn1 && echo '{}' > package.json && npm install --no-audit --no-fund --loglevel=error yarn@1.22.22
python3 -m venv /opt/uv && /opt/uv/bin/pip install --quiet --disable-pip-version-check uv`

/** `debian:13-build` with cargo, Go and Maven, and with `installClients`. */
export const registryClients: ReadonlyArray<RegistryClient> = [
  {
    name: "npm",
    project: packageJson("is-odd", "@sindresorhus/is"),
    install: "npm install --no-audit --no-fund --loglevel=error --cache \"$(mktemp -d)\"",
    lock: "package-lock.json",
    cached: NPM
  },
  {
    name: "pnpm",
    project: packageJson("left-pad", "@sindresorhus/merge-streams"),
    install: "node /opt/node/node_modules/pnpm/bin/pnpm.cjs install --store-dir \"$(mktemp -d)\"",
    lock: "pnpm-lock.yaml",
    cached: NPM
  },
  {
    name: "Yarn 4",
    project: `${
      packageJson("escape-html", "@sindresorhus/transliterate")
    }; touch yarn.lock; printf 'nodeLinker: node-modules\\nenableTelemetry: false\\n' > .yarnrc.yml`,
    install: "YARN_GLOBAL_FOLDER=\"$(mktemp -d)\" node /opt/node/node_modules/@yarnpkg/cli-dist/bin/yarn.js install",
    lock: "yarn.lock",
    cached: NPM
  },
  {
    name: "Yarn 1",
    project: packageJson("isarray"),
    install: "node /opt/node/yarn1/node_modules/yarn/bin/yarn.js install --cache-folder \"$(mktemp -d)\"",
    lock: "yarn.lock",
    cached: []
  },
  {
    name: "uv",
    project:
      `printf '[project]\\nname="x"\\nversion="1"\\nrequires-python=">=3.11"\\ndependencies=["iniconfig==2.0.0"]\\n' > pyproject.toml`,
    install: "/opt/uv/bin/uv sync --quiet --no-cache",
    lock: "uv.lock",
    cached: []
  },
  {
    name: "cargo",
    project:
      `mkdir src; printf '[package]\\nname="x"\\nversion="0.1.0"\\nedition="2021"\\n[dependencies]\\nitoa="=1.0.11"\\n' > Cargo.toml; ` +
      `echo 'fn main() { println!("{}", itoa::Buffer::new().format(7)) }' > src/main.rs`,
    install: "cargo run --quiet",
    lock: "Cargo.lock",
    cached: ["static.crates.io"]
  },
  {
    name: "go",
    project: `printf 'module x\\n\\ngo 1.19\\n\\nrequire github.com/google/uuid v1.6.0\\n' > go.mod; ` +
      `printf 'package main\\n\\nimport "github.com/google/uuid"\\n\\nfunc main() { println(uuid.Nil.String()) }\\n' > main.go`,
    // The checksum database is not in reach of every network that the tests run in.
    install: "GOSUMDB=off GOTOOLCHAIN=local go mod tidy",
    lock: "go.sum",
    cached: ["proxy.golang.org"]
  },
  {
    name: "Maven",
    project: "printf '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId>" +
      "<version>1</version><dependencies><dependency><groupId>commons-codec</groupId><artifactId>commons-codec</artifactId>" +
      "<version>1.17.0</version></dependency></dependencies></project>' > pom.xml",
    install: "mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
    lock: "target/dependency/commons-codec-1.17.0.jar",
    cached: ["repo.maven.apache.org"]
  }
]
