import { USER } from "./server.ts"

/** Installs a package with a line of `.npmrc`, in a directory of its own. */
const npmScript = (host: string, login: string) =>
  `mkdir npm
cd npm
printf 'registry=https://${host}/npm/\\n//${host}/npm/:%s\\n' ${login} > .npmrc
echo '{}' > package.json
npm install --no-audit --no-fund --no-update-notifier --loglevel=error --cache ./cache demo > log 2>&1 || { cat log; exit 1; }
node -p 'require("demo")'`

/**
 * Scripts of clients that use the private repositories of a host. The variable TOKEN has a placeholder, and TLS is trusted by the variables that the
 * guest has.
 */
export const clientScripts = (host: string) =>
  ({
    git: `url="https://${USER}:$TOKEN@${host}/git/repo.git"
git clone --quiet "$url" clone
cd clone
git log --format=%s
git -c user.name=Test -c user.email=test@example.test commit --quiet --allow-empty -m second
git push --quiet origin HEAD:main
git fetch --quiet
git log -1 --format=%s origin/main`,
    npm: npmScript(host, "'_authToken=${TOKEN}'"),
    npmBasic: npmScript(host, `"_auth=$(printf '${USER}:%s' "$TOKEN" | base64 -w 0)"`),
    pip: `python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --target pip \\
  --index-url "https://${USER}:$TOKEN@${host}/pypi/simple/" demo
python3 pip/demo.py`,
    cargo: `mkdir -p cargo/src
cd cargo
printf '[package]\\nname = "user"\\nversion = "0.1.0"\\nedition = "2021"\\n[dependencies]\\ndemo = { version = "1", registry = "private" }\\n' > Cargo.toml
echo 'fn main() { println!("{}", demo::hello()) }' > src/main.rs
export CARGO_HOME="$PWD/home" CARGO_REGISTRIES_PRIVATE_INDEX='sparse+https://${host}/cargo/index/'
export CARGO_REGISTRIES_PRIVATE_TOKEN="$TOKEN" CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS=cargo:token
cargo run --quiet`,
    go: `mkdir go
cd go
printf 'module user\\n\\ngo 1.19\\n' > go.mod
printf 'package main\\n\\nimport "example.test/demo"\\n\\nfunc main() { println(demo.Hello()) }\\n' > main.go
export GOPATH="$PWD/path" GOCACHE="$PWD/cache" GOSUMDB=off GOFLAGS=-mod=mod GOTOOLCHAIN=local
export GOPROXY="https://${USER}:$TOKEN@${host}/go"
go get example.test/demo
go run . 2>&1`
  }) as const
